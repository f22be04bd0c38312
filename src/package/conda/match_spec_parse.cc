#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/ascii.h"
#include "core/text.h"
#include "package/conda/match_spec.h"
#include "package/conda/match_spec_fields.h"
#include "package/conda/version_spec.h"

namespace cloche::conda {
namespace {

constexpr std::size_t kMaxLength = 4096;
constexpr auto kNone = std::string_view::npos;

// What is written where a spec should stand, though it is none.
struct Foreign {
  std::string_view mark;
  bool at_start;  // else anywhere
  std::string_view message, hint;
};
constexpr std::string_view kPipHint = "put it below '- pip:'";
constexpr std::array<Foreign, 14> kForeign = {{
    {"{{", false, "this is a template that was not filled in",
     "write the package's name in its place"},
    {"{%", false, "this is a template that was not filled in", "render the template first"},
    {"${", false, "variables are not expanded in package specs",
     "write the value in the variable's place"},
    {"<%", false, "this is a template that was not filled in", "render the template first"},
    {"-", true, "this is an option of pip, not a package", kPipHint},
    {"git+", true, "conda has no packages from version control; pip has", kPipHint},
    {"hg+", true, "conda has no packages from version control; pip has", kPipHint},
    {"svn+", true, "conda has no packages from version control; pip has", kPipHint},
    {"bzr+", true, "conda has no packages from version control; pip has", kPipHint},
    {" @ ", false, "'name @ url' is pip's form", kPipHint},
    {";", false, "markers behind ';' are pip's",
     "use a selector for platforms: a comment '# [linux]' or 'sel(linux): ...'"},
    {" if ", false, "a condition behind 'if' is not read",
     "write it in brackets: name[when='python >=3.10']"},
    {"\\", false, "'\\' cannot stand in a package spec", ""},
    {"`", false, "'`' cannot stand in a package spec", ""},
}};

std::span<const std::string_view> key_names() {
  static const auto kNames = [] {
    std::vector<std::string_view> names;
    std::ranges::transform(bracket_keys(), std::back_inserter(names), &BracketKey::name);
    return names;
  }();
  return kNames;
}

class Parser {
 public:
  explicit Parser(std::string_view text)
      : text_(text),
        end_(static_cast<std::size_t>(without_spec_comment(text).end() - text.begin())) {
    skip_blanks();
  }

  Result<MatchSpec> parse() {
    TRY(check_text());
    if (is_artifact()) {
      return artifact();
    }
    TRY(check_foreign());
    const std::size_t bracket = std::min(text_.find('[', position_), end_);
    const std::size_t whole_end = std::exchange(end_, bracket);
    TRY(channel());
    TRY(name());
    TRY(version_and_build());
    end_ = whole_end;
    position_ = bracket;
    if (position_ < end_) {
      TRY(brackets());
    }
    return std::move(spec_);
  }

 private:
  Status check_text() const {
    if (text_.size() > kMaxLength) {
      return fail(ErrorKind::kInvalid, "a package spec is longer than {} characters", kMaxLength);
    }
    if (position_ >= end_) {
      return refuse(0, "the package spec is empty", "write a package's name, such as numpy=1.26");
    }
    for (std::size_t i = position_; i < end_; ++i) {
      const auto byte = static_cast<unsigned char>(text_[i]);
      if ((byte < 0x20 && !is_blank(text_[i])) || byte == 0x7f) {
        return refuse(i, "a control character cannot stand in a package spec");
      }
      if (byte >= 0x80) {
        return refuse(i, "only ASCII characters can stand in a package spec",
                      "it may be a typographic quote or blank from a web page");
      }
    }
    return {};
  }

  Status check_foreign() const {
    const std::string_view all = text_.substr(position_, end_ - position_);
    const std::string_view positional = all.substr(0, all.find('['));
    for (const Foreign& foreign : kForeign) {
      const std::string_view where =
          foreign.mark.front() == '{' || foreign.mark.front() == '$' ? all : positional;
      const std::size_t found = where.find(foreign.mark);
      if (found != kNone && (found == 0 || !foreign.at_start) &&
          !(foreign.mark == "\\" && contains(positional, '^'))) {
        return refuse(position_ + found, std::string(foreign.message), std::string(foreign.hint));
      }
    }
    if (positional.ends_with('@')) {
      return refuse(end_ - 1, "features ('name@') are gone from conda",
                    "name the package that has the feature, or a build: blas=*=mkl");
    }
    return {};
  }

  // ---- URLs and paths ----

  bool is_artifact() const {
    std::string_view all = trim_right(text_.substr(position_, end_ - position_));
    // "foo=1.conda" is a version; a path with '=' in it has a directory.
    return all.find("::") == kNone && is_conda_artifact(without_fragment(all)) &&
           (!contains(all, '=') || contains(all, '/')) && !std::ranges::any_of(all, [](char c) {
             return is_blank(c) || contains("<>|\"'[]{}", c);
           });
  }

  static std::string_view without_fragment(std::string_view url) {
    return url.substr(0, url.find('#'));
  }

  // "...conda#<md5>", "...conda#sha256:<hex>": CEP 23's forms.
  Result<MatchSpec> artifact() const {
    const std::string_view all = trim_right(text_.substr(position_, end_ - position_));
    MatchSpec spec = from_artifact(without_fragment(all));
    const std::size_t hash = all.find('#');
    if (hash == kNone) {
      return spec;
    }
    std::string_view digits = all.substr(hash + 1);
    const bool named = digits.starts_with("sha256:");
    digits.remove_prefix(named ? 7 : 0);
    const bool sha256 = named || digits.size() == 64;
    auto checked = checked_hash(digits, sha256 ? 64 : 32);
    if (!checked.has_value()) {
      return refuse(position_ + hash, "after '#' a URL has an md5 or a sha256",
                    "write a comment with a blank before '#'");
    }
    spec.brackets[sha256 ? "sha256" : "md5"] = *checked;
    return spec;
  }

  // ---- channel, name ----

  // Up to the first character that ends a channel's and a name's text.
  std::size_t head_end() const {
    std::size_t at = position_;
    while (at < end_ && !is_blank(text_[at]) && !contains("=<>!~(", text_[at])) {
      ++at;
    }
    return at;
  }

  Status channel() {
    const std::string_view all = text_.substr(0, end_);
    const std::size_t colons = all.rfind("::");
    if (colons != kNone && colons >= position_) {
      TRY(take_channel(colons));
      position_ = colons + 2;
      skip_blanks();
      return {};
    }
    const std::string_view head = text_.substr(position_, head_end() - position_);
    if (head.find("://") != kNone) {
      return refuse_url(head);
    }
    const std::size_t last = head.rfind(':');
    if (last == kNone) {
      return {};
    }
    const std::size_t first = last == 0 ? kNone : head.rfind(':', last - 1);
    const std::size_t name_space = first == kNone ? 0 : first + 1;
    spec_.name_space = head.substr(name_space, last - name_space);
    if (spec_.name_space.starts_with('-') || !std::ranges::all_of(spec_.name_space, [](char c) {
          return is_alnum(c) || contains("._-", c);
        })) {
      return refuse(position_ + last, "':' does not belong here",
                    "a channel is followed by '::': conda-forge::numpy");
    }
    if (first != kNone) {
      TRY(take_channel(position_ + first));
    }
    position_ += last + 1;
    return {};
  }

  Status take_channel(std::size_t end) {
    auto set = set_channel(spec_, text_.substr(position_, end - position_));
    if (!set.has_value()) {
      return refuse(position_, set.error().message);
    }
    return {};
  }

  Error refuse_url(std::string_view url) const {
    return refuse(position_, "a URL here names a .conda or .tar.bz2 file",
                  is_pip_artifact(url) ? std::string(kPipHint)
                                       : "a package of a channel is CHANNEL_URL::NAME");
  }

  Status name() {
    std::size_t end = head_end();
    if (position_ < end_ && text_[position_] == '^') {
      end = std::min(text_.find('$', position_), end_);
      end = end < end_ ? end + 1 : end;
    }
    const std::string_view written = text_.substr(position_, end - position_);
    if (written.empty()) {
      // "[md5=...]" alone: any name.
      if (position_ == end_ && end_ < text_.size() && text_[end_] == '[') {
        spec_.name = "*";
        return {};
      }
      return refuse(position_, "the package's name is missing", "a name comes first: numpy>=1.26");
    }
    spec_.name = is_regex(written) ? std::string(written) : to_lower(written);
    if (const std::string problem = name_problem(spec_.name); !problem.empty()) {
      return refuse(position_, problem, name_hint(written));
    }
    position_ = end;
    return {};
  }

  static std::string name_hint(std::string_view name) {
    if (contains(name, '/')) {
      return "a package of a channel is CHANNEL::NAME; a local project goes below '- pip:'";
    }
    if (contains(name, ',')) {
      return "write one package an item";
    }
    if (contains(name, '"') || contains(name, '\'')) {
      return "leave the quotes out";
    }
    return name.size() > kMaxNameLength ? "" : "names have letters, digits, '.', '_' and '-'";
  }

  // ---- version, build ----

  Status version_and_build() {
    const std::size_t after_name = position_;
    skip_blanks();
    if (position_ >= end_) {
      return {};
    }
    const std::size_t begin = position_;
    VersionSpec version = TRY(VersionSpec::parse_within(text_, position_, end_));
    const std::string_view written = text_.substr(begin, position_ - begin);
    // name=1.2: fuzzy, unless a "=build" follows.
    const bool single_equal = written.starts_with('=') && !written.starts_with("==") &&
                              version.kind == VersionSpec::Kind::kClause && !contains(written, '*');
    const std::size_t after_version = position_;
    skip_blanks();
    if (position_ >= end_) {
      set(version);
      return {};
    }
    const bool by_equal = text_[position_] == '=';
    if (by_equal) {
      ++position_;
      skip_blanks();
    } else if (position_ == after_version) {
      return refuse(position_, "'" + std::string(1, text_[position_]) + "' does not belong here");
    } else if (single_equal && begin == after_name) {
      return refuse(position_, "'=' before the version and a blank before the build do not mix",
                    "write " + spec_.name + written_exactly(written) + " for exactly this version");
    }
    if (single_equal && by_equal) {
      version.clause.op = VersionClause::Op::kEqual;
    }
    set(version);
    return build();
  }

  // "=1.2" and what follows as "=1.2=py39_0".
  std::string written_exactly(std::string_view version) const {
    return std::string(version) + "=" +
           std::string(trim(text_.substr(position_, end_ - position_)));
  }

  void set(const VersionSpec& version) { spec_.version = version.any() ? "" : version.to_string(); }

  Status build() {
    const std::string_view rest = trim_right(text_.substr(position_, end_ - position_));
    if (rest.empty()) {
      return refuse(position_ - 1, "a build string is missing after '='",
                    "leave the final '=' out if every build will do");
    }
    const auto* blank = std::ranges::find_if(rest, is_blank);
    if (blank != rest.end() && !is_regex(rest)) {
      return refuse(
          position_ + static_cast<std::size_t>(blank - rest.begin()) + 1,
          "nothing can stand behind the build string",
          "a spec is NAME, NAME VERSION or NAME VERSION BUILD; versions are joined by ','");
    }
    if (auto done = set_build(spec_, rest); !done.has_value()) {
      return refuse(position_, done.error().message);
    }
    return {};
  }

  // ---- [key=value, ...] ----

  Status brackets() {
    const std::size_t open = position_++;
    std::vector<std::string_view> seen;
    for (;;) {
      while (position_ < end_ && (is_blank(text_[position_]) || text_[position_] == ',')) {
        ++position_;
      }
      if (position_ >= end_) {
        return refuse(open, "this '[' is never closed", "add a ']' at the end");
      }
      if (text_[position_] == ']') {
        break;
      }
      TRY(key_and_value(seen));
    }
    ++position_;
    skip_blanks();
    if (position_ < end_) {
      return refuse(position_,
                    text_[position_] == '[' ? "a spec has one pair of brackets at most"
                                            : "nothing can stand behind the brackets",
                    text_[position_] == '[' ? "join the parts with commas: [a=1,b=2]"
                                            : "the version goes before them, or into them as "
                                              "[version='...']; extras are pip's");
    }
    return {};
  }

  Status key_and_value(std::vector<std::string_view>& seen) {
    const std::size_t key_at = position_;
    while (position_ < end_ && (is_alnum(text_[position_]) || contains("_-", text_[position_]))) {
      ++position_;
    }
    const std::string_view key = text_.substr(key_at, position_ - key_at);
    skip_blanks();
    if (key.empty() || position_ >= end_ || text_[position_] != '=') {
      return refuse(key_at, "in brackets stands KEY=VALUE",
                    "extras are pip's: put name[extra] below '- pip:'");
    }
    const auto known = std::ranges::find(bracket_keys(), key, &BracketKey::name);
    if (known == bracket_keys().end()) {
      const std::string_view near = nearest(key, key_names());
      return refuse(key_at, "'" + std::string(key.substr(0, 40)) + "' is not a key of a package",
                    near.empty() ? "" : "did you mean " + std::string(near) + "?");
    }
    const std::string_view subject = key == "build_string" ? "build" : known->name;
    if (std::ranges::find(seen, subject) != seen.end()) {
      return refuse(key_at, "'" + std::string(subject) + "' stands twice in the brackets");
    }
    seen.push_back(subject);
    ++position_;
    skip_blanks();
    const std::size_t value_at = position_;
    return apply(*known, TRY(value()), value_at);
  }

  Status apply(const BracketKey& key, std::string_view value, std::size_t value_at) {
    Status done;
    if (key.set != nullptr) {
      done = key.set(spec_, value);
    } else {
      auto checked = key.check != nullptr ? key.check(value) : Result<std::string>(value);
      if (checked.has_value()) {
        spec_.brackets[std::string(key.name)] = *checked;
      } else {
        done = Status(std::move(checked).error());
      }
    }
    if (done.has_value()) {
      return {};
    }
    // The value's own column, where its parser gave one.
    const auto column = static_cast<std::size_t>(std::max(done.error().at.column - 1, 0));
    const bool quoted = contains("'\"", text_[value_at]);
    return refuse(value_at + column + (quoted ? 1 : 0), done.error().message, done.error().hint);
  }

  Result<std::string_view> value() {
    const std::size_t begin = position_;
    const char first = position_ < end_ ? text_[position_] : '\0';
    std::size_t end = begin;
    std::size_t after = begin;
    if (first == '\'' || first == '"' || first == '[') {
      const std::size_t close = text_.substr(0, end_).find(first == '[' ? ']' : first, begin + 1);
      if (close == kNone) {
        return refuse(begin, "this '" + std::string(1, first) + "' is never closed");
      }
      position_ = close + 1;
      after = position_;
      end = first == '[' ? close + 1 : close;
      if (after < end_ && !is_blank(text_[after]) && !contains(",]", text_[after])) {
        return refuse(after, "a ',' is missing after a value");
      }
    } else {
      while (position_ < end_ && !is_blank(text_[position_]) && !contains(",]", text_[position_])) {
        ++position_;
      }
      end = position_;
    }
    const std::size_t from = first == '\'' || first == '"' ? begin + 1 : begin;
    const std::string_view value = trim(text_.substr(from, end - from));
    if (value.empty()) {
      return refuse(begin, "a value is missing after '='");
    }
    if (first != '\'' && first != '"' && first != '[' &&
        std::ranges::any_of(value, [](char c) { return contains("'\"[", c); })) {
      return refuse(begin, "a value with quotes or brackets in it is quoted as a whole",
                    "write KEY='VALUE'");
    }
    return value;
  }

  void skip_blanks() {
    while (position_ < end_ && is_blank(text_[position_])) {
      ++position_;
    }
  }

  Error refuse(std::size_t position, std::string why, std::string hint = "") const {
    return fail(ErrorKind::kInvalid, "{}", why)
        .with_location({"", 1, static_cast<int>(position) + 1}, std::string(text_))
        .with_hint(std::move(hint));
  }

  std::string_view text_;
  std::size_t end_;
  std::size_t position_ = 0;
  MatchSpec spec_;
};

}  // namespace

std::string_view without_spec_comment(std::string_view text) {
  char quote = '\0';
  bool in_brackets = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      quote = c == quote ? '\0' : quote;
    } else if (in_brackets && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '[') {
      in_brackets = true;
    } else if (c == '#' && (i == 0 || is_blank(text[i - 1]) ||
                            !is_conda_artifact(text.substr(0, i)))) {  // else a URL's hash
      return trim(text.substr(0, i));
    }
  }
  return trim(text);
}

Result<MatchSpec> parse_match_spec(std::string_view text) { return Parser(text).parse(); }

}  // namespace cloche::conda
