#include "package/conda/matching.h"

#include <algorithm>
#include <array>
#include <set>

#include <re2/re2.h>

#include "core/text.h"

namespace cloche::conda {
namespace {

// RE2 runs in time linear in the text whatever the expression, which repodata from anywhere needs.
Result<std::shared_ptr<const re2::RE2>> compile_regex(std::string_view pattern) {
  constexpr std::int64_t kMaxMemoryBytes = std::int64_t{1} << 20U;
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kMaxMemoryBytes);
  options.set_case_sensitive(false);
  auto expression =
      std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!expression->ok()) {
    return fail(ErrorKind::kInvalid, "'{}' is not a regular expression: {}",
                printable(pattern.substr(0, 80)), expression->error());
  }
  return expression;
}

// '*' stands for any text. Two cursors, no recursion: time is text times stars at worst.
bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t at_pattern = 0;
  std::size_t at_text = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (at_text < text.size()) {
    if (at_pattern < pattern.size() && pattern[at_pattern] == '*') {
      star = at_pattern++;
      star_text = at_text;
    } else if (at_pattern < pattern.size() && pattern[at_pattern] == text[at_text]) {
      ++at_pattern;
      ++at_text;
    } else if (star != std::string_view::npos) {
      at_pattern = star + 1;
      at_text = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at_pattern) == std::string_view::npos;
}

}  // namespace

struct VersionMatcher::Clause {
  using Op = VersionClause::Op;
  Op op = Op::kAny;
  Version operand;
  Version family;  // ~=1.2.3 stays within 1.2
  TextMatcher text;

  bool matches(const Version& version) const {
    switch (op) {
      case Op::kAny:
        return true;
      case Op::kGlob:
      case Op::kRegex:
        return text.matches(version.text());
      case Op::kPrefix:
        return version.starts_with(operand);
      case Op::kNotPrefix:
        return !version.starts_with(operand);
      case Op::kCompatible:
        return version >= operand && version.starts_with(family);
      default:
        return compares(version <=> operand);
    }
  }

  bool compares(std::weak_ordering order) const {
    switch (op) {
      case Op::kEqual:
        return order == 0;
      case Op::kNotEqual:
        return order != 0;
      case Op::kLess:
        return order < 0;
      case Op::kLessEqual:
        return order <= 0;
      case Op::kGreater:
        return order > 0;
      default:
        return order >= 0;
    }
  }
};

Result<VersionMatcher> VersionMatcher::compile(const VersionSpec& spec) {
  VersionMatcher out;
  out.kind_ = spec.kind;
  for (const VersionSpec& part : spec.parts) {
    out.parts_.push_back(TRY(compile(part)));
  }
  if (spec.kind != VersionSpec::Kind::kClause) {
    return out;
  }
  using Op = VersionClause::Op;
  auto clause = std::make_shared<Clause>();
  clause->op = spec.clause.op;
  const std::string& operand = spec.clause.operand;
  if (clause->op == Op::kGlob || clause->op == Op::kRegex) {
    clause->text = TRY(TextMatcher::compile(operand));
  } else if (clause->op != Op::kAny) {
    clause->operand = TRY(Version::parse(operand));
  }
  if (clause->op == Op::kCompatible) {
    clause->family = TRY(Version::parse(operand.substr(0, operand.rfind('.'))));
  }
  out.clause_ = std::move(clause);
  return out;
}

bool VersionMatcher::matches(const Version& version) const {
  const auto one = [&](const VersionMatcher& part) { return part.matches(version); };
  switch (kind_) {
    case VersionSpec::Kind::kAll:
      return std::ranges::all_of(parts_, one);
    case VersionSpec::Kind::kAny:
      return std::ranges::any_of(parts_, one);
    case VersionSpec::Kind::kClause:
      return clause_ == nullptr || clause_->matches(version);
  }
  return false;
}

Result<TextMatcher> TextMatcher::compile(std::string_view pattern) {
  TextMatcher out;
  if (pattern.empty() || pattern == "*") {
    return out;
  }
  if (pattern.starts_with('^') && pattern.ends_with('$')) {
    out.kind_ = Kind::kRegex;
    out.expression_ = TRY(compile_regex(pattern));
    return out;
  }
  out.pattern_ = to_lower(pattern);
  out.kind_ = pattern.find('*') == std::string_view::npos ? Kind::kExact : Kind::kGlob;
  return out;
}

bool TextMatcher::matches(std::string_view text) const {
  switch (kind_) {
    case Kind::kAnything:
      return true;
    case Kind::kExact:
      return text == pattern_ || to_lower(text) == pattern_;
    case Kind::kGlob:
      return glob_matches(pattern_, to_lower(text));
    case Kind::kRegex:
      return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()),
                                    *static_cast<const re2::RE2*>(expression_.get()));
  }
  return false;
}

Result<RecordMatcher> RecordMatcher::compile(const MatchSpec& spec) {
  static constexpr std::array<std::string_view, 11> kKnown = {"build_number",   "md5",
                                                              "sha256",         "fn",
                                                              "when",           "extras",
                                                              "flags",          "license",
                                                              "license_family", "track_features",
                                                              "optional"};
  for (const auto& [key, value] : spec.brackets) {
    if (std::ranges::find(kKnown, key) == kKnown.end()) {
      return fail(ErrorKind::kUnsupported, "[{}=...] in '{}' is not understood", printable(key),
                  printable(spec.to_string()));
    }
  }
  RecordMatcher out;
  out.spec_ = spec;
  if (!spec.version.empty()) {
    out.version_ = TRY(VersionMatcher::compile(TRY(VersionSpec::parse(spec.version))));
  }
  out.name_ = TRY(TextMatcher::compile(spec.name));
  out.build_ = TRY(TextMatcher::compile(spec.build));
  const auto bracket = [&](const char* key) {
    const auto found = spec.brackets.find(key);
    return found == spec.brackets.end() ? std::string_view() : std::string_view(found->second);
  };
  out.license_ = TRY(TextMatcher::compile(bracket("license")));
  out.license_family_ = TRY(TextMatcher::compile(bracket("license_family")));
  if (const auto number = spec.brackets.find("build_number"); number != spec.brackets.end()) {
    out.build_number_ = TRY(VersionMatcher::compile(TRY(VersionSpec::parse(number->second))));
    out.has_build_number_ = true;
  }
  out.version_only_ = spec.build.empty() && spec.channel.empty() && spec.subdir.empty() &&
                      spec.url.empty() && spec.brackets.empty() &&
                      spec.name.find_first_of("*^") == std::string::npos;
  return out;
}

bool RecordMatcher::needs_file() const {
  static constexpr std::array<const char*, 6> kOfTheFile = {
      "md5", "sha256", "fn", "license", "license_family", "track_features"};
  return !spec_.url.empty() || std::ranges::any_of(kOfTheFile, [&](const char* key) {
    return spec_.brackets.contains(key);
  });
}

namespace {

// Words between blanks and commas, as a set (conda: models/match_spec.py, FeatureMatch).
std::set<std::string, std::less<>> words(std::string_view text) {
  std::set<std::string, std::less<>> out;
  std::string spaced(text);
  std::ranges::replace(spaced, ',', ' ');
  for (const std::string_view word : split(spaced, ' ')) {
    if (!word.empty()) {
      out.emplace(word);
    }
  }
  return out;
}

// The same URL, or a file of that name where the spec's channel and subdir decide (a mirror).
bool url_fits(const MatchSpec& spec, const RecordView& record) {
  if (spec.url.empty() || spec.url == record.url) {
    return true;
  }
  const std::size_t slash = spec.url.rfind('/');
  const bool placed = slash == std::string::npos || !spec.channel.empty();
  return placed && std::string_view(spec.url).substr(slash + 1) == record.file_name;
}

}  // namespace

bool RecordMatcher::matches(const RecordView& record) const {
  const auto bracket_allows = [&](std::string_view key, std::string_view value) {
    const auto found = spec_.brackets.find(std::string(key));
    return found == spec_.brackets.end() || to_lower(found->second) == to_lower(value);
  };
  if (!version_.matches(*record.version) || !build_.matches(record.build)) {
    return false;
  }
  if (version_only_) {
    return true;
  }
  if (has_build_number_) {
    const auto number = Version::parse(std::to_string(record.build_number));
    if (!number || !build_number_.matches(*number)) {
      return false;
    }
  }
  const bool channel_fits = spec_.channel.empty() || spec_.channel == record.channel ||
                            record.channel.ends_with("/" + spec_.channel);
  return name_.matches(record.name) && channel_fits &&
         (spec_.subdir.empty() || spec_.subdir == record.subdir) && url_fits(spec_, record) &&
         bracket_allows("md5", record.md5) && bracket_allows("sha256", record.sha256) &&
         bracket_allows("fn", record.file_name) && license_.matches(record.license) &&
         license_family_.matches(record.license_family) &&
         (!spec_.brackets.contains("track_features") ||
          words(spec_.brackets.at("track_features")) == words(record.track_features));
}

}  // namespace cloche::conda
