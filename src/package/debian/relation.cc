#include "package/debian/relation.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/ascii.h"
#include "core/text.h"
#include "package/debian/version.h"

namespace cloche::debian {
namespace {

constexpr std::array<std::string_view, 6> kOperators = {"", "<<", "<=", "=", ">=", ">>"};

// Wider than Policy 5.6.1: third parties' indexes have capitals and underscores.
bool is_name_char(char c) {
  return is_digit(c) || is_letter(c) || c == '+' || c == '-' || c == '.' || c == '_';
}
bool is_architecture_char(char c) { return is_digit(c) || is_letter(c) || c == '-'; }
bool is_version_char(char c) {
  return is_digit(c) || is_letter(c) || c == '.' || c == '+' || c == '-' || c == '~' || c == ':' ||
         c == '_';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<Alternatives>> parse() {
    if (text_.size() > kMaxRelationBytes) {
      return invalid("the field is too long");
    }
    std::vector<Alternatives> out;
    for (skip_blanks(); at_ < text_.size(); skip_blanks()) {
      if (text_[at_] == ',') {
        ++at_;
        continue;
      }
      out.push_back(TRY(alternatives()));
    }
    return out;
  }

 private:
  Error invalid(std::string_view why) const {
    constexpr std::size_t kShown = 80;
    const std::size_t begin = at_ > kShown / 2 ? at_ - (kShown / 2) : 0;
    return fail(ErrorKind::kInvalid, "{}, near '{}'", why,
                printable(text_.substr(std::min(begin, text_.size()), kShown)))
        .with_location({"", 1, static_cast<int>(at_) + 1});
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) {
      ++at_;
    }
  }

  bool take(char c) {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }

  template <class Good>
  std::string_view take_while(Good good) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && good(text_[at_])) {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  Result<Alternatives> alternatives() {
    Alternatives out;
    do {
      out.push_back(TRY(relation()));
    } while (take('|'));
    skip_blanks();
    if (at_ < text_.size() && text_[at_] != ',') {
      return invalid("a ',' or '|' is missing between packages");
    }
    return out;
  }

  Result<Relation> relation() {
    skip_blanks();
    Relation out;
    out.name = take_while(is_name_char);
    if (out.name.empty()) {
      return invalid("a package's name is missing");
    }
    if (at_ < text_.size() && text_[at_] == ':') {
      ++at_;
      out.architecture = take_while(is_architecture_char);
      if (out.architecture.empty()) {
        return invalid("the architecture behind ':' is missing");
      }
    }
    if (take('(')) {
      TRY(version(out));
    }
    if (take('[')) {
      out.architectures = TRY(until(']'));
    }
    TRY(profiles(out));
    return out;
  }

  Status version(Relation& out) {
    skip_blanks();
    const std::string_view sign =
        take_while([](char c) { return c == '<' || c == '=' || c == '>'; });
    const auto* const known = std::ranges::find(kOperators, sign);
    if (sign == "<" || sign == ">") {  // Policy 7.1: obsolete, and mean what they look unlike
      out.comparison = sign == "<" ? Comparison::kEarlierOrEqual : Comparison::kLaterOrEqual;
    } else if (known == kOperators.end() || sign.empty()) {
      return invalid("the version's operator is none of << <= = >= >>");
    } else {
      out.comparison = static_cast<Comparison>(known - kOperators.begin());
    }
    skip_blanks();
    out.version = take_while(is_version_char);
    if (out.version.empty()) {
      return invalid("the version is missing");
    }
    return take(')') ? Status() : Status(invalid("the version's ')' is missing"));
  }

  Result<std::string_view> until(char end) {
    const std::size_t stop = text_.find_first_of(",|()[]<>", at_);
    if (stop == std::string_view::npos || text_[stop] != end) {
      return invalid(end == ']' ? "the architectures' ']' is missing"
                                : "the profiles' '>' is missing");
    }
    const std::string_view inner = trim(text_.substr(at_, stop - at_));
    at_ = stop + 1;
    return inner;
  }

  Status profiles(Relation& out) {
    skip_blanks();
    const std::size_t begin = at_;
    std::size_t end = at_;
    while (take('<')) {
      TRY(until('>'));
      end = at_;
    }
    out.profiles = text_.substr(begin, end - begin);
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// "any", "linux-any", "any-amd64", "amd64" (deb-src-control(5); kernels other than Linux are no
// architecture of ours).
bool is_architecture(std::string_view wanted, std::string_view architecture) {
  if (wanted == "any" || wanted == "linux-any" || wanted == architecture) {
    return true;
  }
  constexpr std::string_view kAnyKernel = "any-";
  constexpr std::string_view kLinux = "linux-";
  return (wanted.starts_with(kAnyKernel) && wanted.substr(kAnyKernel.size()) == architecture) ||
         (wanted.starts_with(kLinux) && wanted.substr(kLinux.size()) == architecture);
}

// Calls `take(word, negated)` for each word.
template <class Take>
void for_each_word(std::string_view text, Take take) {
  while (!(text = trim_left(text)).empty()) {
    std::size_t end = 0;
    while (end < text.size() && !is_blank(text[end])) {
      ++end;
    }
    std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    const bool negated = word.starts_with('!');
    word.remove_prefix(negated ? 1 : 0);
    take(word, negated);
  }
}

bool holds_on(std::string_view architectures, std::string_view architecture) {
  bool named = false;
  bool negative = false;
  for_each_word(architectures, [&](std::string_view word, bool negated) {
    negative = negative || negated;
    named = named || is_architecture(word, architecture);
  });
  return negative ? !named : named;
}

bool holds_with(std::string_view lists, std::span<const std::string_view> profiles) {
  while (!(lists = trim_left(lists)).empty()) {
    const std::size_t end = lists.find('>');
    bool all = true;
    for_each_word(lists.substr(1, end - 1), [&](std::string_view word, bool negated) {
      all = all && (std::ranges::find(profiles, word) != profiles.end()) != negated;
    });
    if (all) {
      return true;
    }
    lists.remove_prefix(std::min(lists.size(), end + 1));
  }
  return false;
}

}  // namespace

std::string_view to_string(Comparison comparison) {
  return kOperators.at(static_cast<std::size_t>(comparison));
}

bool allows(const Relation& relation, std::string_view version) {
  if (relation.comparison == Comparison::kAny) {
    return true;
  }
  const auto order = compare_versions(version, relation.version);
  switch (relation.comparison) {
    case Comparison::kEarlier:
      return order < 0;
    case Comparison::kEarlierOrEqual:
      return order <= 0;
    case Comparison::kEqual:
      return order == 0;
    case Comparison::kLaterOrEqual:
      return order >= 0;
    case Comparison::kLater:
      return order > 0;
    case Comparison::kAny:
      break;
  }
  return true;
}

bool counts_on(const Relation& relation, std::string_view architecture,
               std::span<const std::string_view> profiles) {
  return (relation.architectures.empty() || holds_on(relation.architectures, architecture)) &&
         (relation.profiles.empty() || holds_with(relation.profiles, profiles));
}

std::string to_string(const Relation& relation) {
  std::string out(relation.name);
  if (!relation.architecture.empty()) {
    out += fmt::format(":{}", relation.architecture);
  }
  if (relation.comparison != Comparison::kAny) {
    out += fmt::format(" ({} {})", to_string(relation.comparison), relation.version);
  }
  if (!relation.architectures.empty()) {
    out += fmt::format(" [{}]", relation.architectures);
  }
  if (!relation.profiles.empty()) {
    out += fmt::format(" {}", relation.profiles);
  }
  return out;
}

Result<std::vector<Alternatives>> parse_relations(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace cloche::debian
