#include "package/conda/version_spec.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/text.h"
#include "package/conda/version.h"

namespace cloche::conda {
namespace {

using Op = VersionClause::Op;
using Kind = VersionSpec::Kind;

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxLength = 4096;

// What an operator means before a version and before a version that ends in '*'; nullopt: refused.
struct Operator {
  std::string_view text;
  Op with_version;
  std::optional<Op> with_star;
};
constexpr std::array<Operator, 9> kOperators = {{
    {"", Op::kEqual, Op::kPrefix},
    {"=", Op::kPrefix, Op::kPrefix},
    {"==", Op::kEqual, Op::kPrefix},
    {"!=", Op::kNotEqual, Op::kNotPrefix},
    // conda ignores the star here, with a warning.
    {"<", Op::kLess, Op::kLess},
    {"<=", Op::kLessEqual, Op::kLessEqual},
    {">", Op::kGreater, Op::kGreater},
    {">=", Op::kGreaterEqual, Op::kGreaterEqual},
    {"~=", Op::kCompatible, std::nullopt},
}};

struct Mistake {
  std::string_view written, meant;
};
constexpr std::array<Mistake, 14> kMistakes = {{{"=>", ">="},
                                                {"=<", "<="},
                                                {"===", "=="},
                                                {"<>", "!="},
                                                {"><", "!="},
                                                {"=!", "!="},
                                                {"!", "!="},
                                                {"!==", "!="},
                                                {"~", "~="},
                                                {"=~", "~="},
                                                {"~>", "~="},
                                                {"~==", "~="},
                                                {">==", ">="},
                                                {"<==", "<="}}};

constexpr std::string_view kOperatorChars = "=<>!~";
constexpr std::string_view kGlobChars =
    "*._-+!0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool contains(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

// Lookaround, groups with a name and back references cost exponential time somewhere (CEP 29:
// SHOULD NOT be allowed).
bool is_simple_regex(std::string_view text) {
  if (text.find("(?") != std::string_view::npos ||
      text.find_first_of("'\"") != std::string_view::npos) {
    return false;
  }
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
      if (text[i] >= '0' && text[i] <= '9') {
        return false;
      }
    }
  }
  return true;
}

class Parser {
 public:
  Parser(std::string_view text, std::size_t position, std::size_t end)
      : text_(text), position_(position), end_(end) {}

  std::size_t position() const { return position_; }

  // a|b: the lowest precedence.
  Result<VersionSpec> any_of(int depth) { return joined(Kind::kAny, '|', depth); }

 private:
  Result<VersionSpec> joined(Kind kind, char separator, int depth) {
    VersionSpec out;
    out.kind = kind;
    for (;;) {
      VersionSpec part = TRY(kind == Kind::kAny ? joined(Kind::kAll, ',', depth) : one(depth));
      if (part.kind == kind) {
        out.parts.insert(out.parts.end(), part.parts.begin(), part.parts.end());
      } else {
        out.parts.push_back(std::move(part));
      }
      if (peek_after_blanks() != separator) {
        break;
      }
      skip_blanks();
      ++position_;
    }
    if (out.parts.size() > 1) {
      return out;
    }
    VersionSpec only = std::move(out.parts.front());
    return only;
  }

  Result<VersionSpec> one(int depth) {
    skip_blanks();
    if (peek() != '(') {
      return clause();
    }
    if (depth >= kMaxDepth) {
      return refuse(position_, "parentheses are nested deeper than 16");
    }
    const std::size_t open = position_++;
    VersionSpec inner = TRY(any_of(depth + 1));
    skip_blanks();
    if (peek() != ')') {
      return refuse(open, "this '(' is never closed");
    }
    ++position_;
    return inner;
  }

  Result<VersionSpec> clause() {
    VersionSpec out;
    out.clause = TRY(peek() == '^' ? regex() : comparison());
    TRY(check_what_follows());
    return out;
  }

  Result<VersionClause> regex() {
    const std::size_t dollar = text_.substr(0, end_).find('$', position_);
    if (dollar == std::string_view::npos) {
      return refuse(position_, "a regular expression starts with '^' and ends with '$'",
                    "one that has brackets goes into quotes: [version='^1[.]2$']");
    }
    const std::string_view expression = text_.substr(position_, dollar + 1 - position_);
    if (!is_simple_regex(expression)) {
      return refuse(position_, "lookaround, back references and quotes are not allowed");
    }
    position_ = dollar + 1;
    if (peek() != '\0' && !is_blank(peek()) && !contains(",|)=", peek())) {
      return refuse(position_, "a regular expression ends at its first '$'");
    }
    return VersionClause{Op::kRegex, std::string(expression)};
  }

  Result<VersionClause> comparison() {
    const std::size_t begin = position_;
    const Operator op = TRY(operator_here());
    const std::size_t literal_at = position_;
    while (position_ < end_ && !ends_literal()) {
      ++position_;
    }
    const std::string_view literal = text_.substr(literal_at, position_ - literal_at);
    if (literal.empty()) {
      return missing_version(begin, op);
    }
    return with_operand(op, literal, literal_at);
  }

  // By value: TRY moves the value out.
  Result<Operator> operator_here() {
    const std::size_t begin = position_;
    while (position_ < end_ && contains(kOperatorChars, text_[position_])) {
      ++position_;
    }
    const std::string_view written = text_.substr(begin, position_ - begin);
    const auto* found = std::ranges::find(kOperators, written, &Operator::text);
    if (found == kOperators.end()) {
      const auto* mistake = std::ranges::find(kMistakes, written, &Mistake::written);
      return refuse(begin, "'" + std::string(written.substr(0, 20)) + "' is not an operator",
                    mistake == kMistakes.end() ? "the operators are ==, =, !=, >=, >, <=, < and ~="
                                               : instead(begin, position_, mistake->meant));
    }
    const std::size_t after = position_;
    skip_blanks();
    if (position_ > after && contains(kOperatorChars, peek())) {
      const bool split_in_two = peek() == '=' && written != "=" && written != "==";
      return refuse(position_, "two operators stand side by side",
                    split_in_two ? instead(after, position_, "") : instead(begin, position_, ""));
    }
    return *found;
  }

  Error missing_version(std::size_t begin, const Operator& op) const {
    if (!op.text.empty()) {
      return refuse(begin, "a version is missing after '" + std::string(op.text) + "'");
    }
    const std::string_view before = trim_right(text_.substr(0, position_));
    if (!before.empty() && contains(",|", before.back())) {
      return refuse(before.size() - 1,
                    "a version is missing after '" + std::string(1, before.back()) + "'",
                    instead(before.size() - 1, before.size(), ""));
    }
    return refuse(begin, "a version is missing");
  }

  bool ends_literal() const {
    const char c = text_[position_];
    const bool bang_equal =
        c == '!' && position_ + 1 < end_ && text_[position_ + 1] == '=';  // else 1!2: an epoch
    return is_blank(c) || contains(",|()=<>~", c) || bang_equal;
  }

  Result<VersionClause> with_operand(const Operator& op, std::string_view literal,
                                     std::size_t literal_at) const {
    const std::size_t last = literal.find_last_not_of('*');
    if (last == std::string_view::npos) {
      if (op.with_star != Op::kPrefix) {
        return refuse(literal_at, "'*' does not go with '" + std::string(op.text) + "'",
                      "leave the version out if every one will do");
      }
      return VersionClause{};
    }
    const bool star = last + 1 < literal.size();
    std::string_view version = literal.substr(0, last + 1);
    if (contains(version, '*')) {
      return glob(op, literal, literal_at);
    }
    if (star && version.ends_with('.')) {
      version.remove_suffix(1);
    }
    TRY(check_version(version, literal_at));
    if (star && !op.with_star.has_value()) {
      return refuse(literal_at, "'~=' does not go with '*'", "write the two parts: >=1.2.3,1.2.*");
    }
    return VersionClause{star ? *op.with_star : op.with_version, to_lower(version)};
  }

  // conda: "=1.*.3" is a glob with one more star at its end.
  Result<VersionClause> glob(const Operator& op, std::string_view literal,
                             std::size_t literal_at) const {
    if (op.with_star != Op::kPrefix) {
      return refuse(literal_at,
                    "a '*' within a version does not go with '" + std::string(op.text) + "'");
    }
    const std::size_t odd = literal.ends_with('!') ? literal.size() - 1  // "!=" may follow
                                                   : literal.find_first_not_of(kGlobChars);
    if (odd != std::string_view::npos) {
      return refuse(literal_at + odd,
                    "'" + printable(literal.substr(odd, 1)) + "' cannot stand in a version");
    }
    const bool open_end = op.text == "=" && !literal.ends_with('*');
    return VersionClause{Op::kGlob, to_lower(literal) + (open_end ? "*" : "")};
  }

  Status check_version(std::string_view version, std::size_t at) const {
    auto parsed = Version::parse(version);
    if (parsed.has_value()) {
      return {};
    }
    const int column = parsed.error().at.column;
    const std::size_t position = at + static_cast<std::size_t>(std::max(column - 1, 0));
    return refuse(std::min(position, end_), parsed.error().message);
  }

  // ">=1.2 <2", ">=1.2<2": the comma was forgotten. A single '=' may be a build's.
  Status check_what_follows() {
    const std::size_t after = position_;
    const char next = peek_after_blanks();
    std::size_t at = after;
    while (at < end_ && is_blank(text_[at])) {
      ++at;
    }
    const std::string_view two = text_.substr(at, std::min<std::size_t>(2, end_ - at));
    if (contains("<>~", next) || two == "!=" || two == "==") {
      return refuse(at, "a ',' is missing between two version constraints",
                    instead(after, at, ","));
    }
    return {};
  }

  char peek() const { return position_ < end_ ? text_[position_] : '\0'; }
  char peek_after_blanks() const {
    std::size_t at = position_;
    while (at < end_ && is_blank(text_[at])) {
      ++at;
    }
    return at < end_ ? text_[at] : '\0';
  }
  void skip_blanks() {
    while (position_ < end_ && is_blank(text_[position_])) {
      ++position_;
    }
  }

  // "did you mean ...?" with a part of the text replaced.
  std::string instead(std::size_t begin, std::size_t end, std::string_view replacement) const {
    std::string out(text_.substr(0, begin));
    out += replacement;
    out += text_.substr(end);
    return out.size() > 120 ? std::string() : "did you mean " + std::string(trim(out)) + "?";
  }

  Error refuse(std::size_t position, std::string why, std::string hint = "") const {
    return fail(ErrorKind::kInvalid, "{}", why)
        .with_location({"", 1, static_cast<int>(position) + 1}, std::string(text_))
        .with_hint(std::move(hint));
  }

  std::string_view text_;
  std::size_t position_;
  std::size_t end_;
};

}  // namespace

std::string VersionClause::to_string() const {
  switch (op) {
    case Op::kAny:
      return "*";
    case Op::kPrefix:
      return operand + ".*";
    case Op::kNotPrefix:
      return "!=" + operand + ".*";
    case Op::kGlob:
    case Op::kRegex:
      return operand;
    default:
      break;
  }
  const auto* written = std::ranges::find_if(kOperators, [this](const Operator& candidate) {
    return !candidate.text.empty() && candidate.with_version == op;
  });
  return std::string(written->text) + operand;
}

Result<VersionSpec> VersionSpec::parse(std::string_view text) {
  std::size_t position = 0;
  VersionSpec out = TRY(parse_within(text, position, text.size()));
  const std::string_view rest = trim(text.substr(position));
  if (!rest.empty()) {
    return fail(ErrorKind::kInvalid, "'{}' cannot stand behind a version constraint",
                printable(rest.substr(0, 20)))
        .with_location({"", 1, static_cast<int>(position) + 1}, std::string(text));
  }
  return out;
}

Result<VersionSpec> VersionSpec::parse_within(std::string_view text, std::size_t& position,
                                              std::size_t end) {
  if (end - position > kMaxLength) {
    return fail(ErrorKind::kInvalid, "a version constraint is longer than {} characters",
                kMaxLength);
  }
  Parser parser(text, position, end);
  VersionSpec out = TRY(parser.any_of(0));
  position = parser.position();
  return out;
}

std::string VersionSpec::to_string() const {
  if (kind == Kind::kClause) {
    return clause.to_string();
  }
  std::string out;
  for (const VersionSpec& part : parts) {
    const bool group = kind == Kind::kAll && part.kind == Kind::kAny;
    if (!out.empty()) {
      out += kind == Kind::kAll ? ',' : '|';
    }
    out += group ? "(" + part.to_string() + ")" : part.to_string();
  }
  return out;
}

bool VersionSpec::pinned() const {
  const auto is_pinned = [](const VersionSpec& part) { return part.pinned(); };
  switch (kind) {
    case Kind::kAll:
      return std::ranges::any_of(parts, is_pinned);
    case Kind::kAny:
      return std::ranges::all_of(parts, is_pinned);
    case Kind::kClause:
      break;
  }
  static constexpr std::array<Op, 5> kOpen = {Op::kAny, Op::kNotEqual, Op::kNotPrefix, Op::kGreater,
                                              Op::kGreaterEqual};
  return std::ranges::find(kOpen, clause.op) == kOpen.end();
}

}  // namespace cloche::conda
