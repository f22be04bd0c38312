#include "package/pypi/marker.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "core/text.h"
#include "package/pypi/scanner.h"

namespace cloche::pypi {
namespace {

constexpr int kMaxDepth = 32;

struct Variable {
  std::string_view spelling;
  std::string_view name;
};

// PEP 508, "Environment Markers", and the older spellings that packaging still takes; the plural
// forms are PEP 751's.
constexpr std::array<Variable, 20> kVariables = {{
    {"python_version", "python_version"},
    {"python_full_version", "python_full_version"},
    {"os_name", "os_name"},
    {"sys_platform", "sys_platform"},
    {"platform_release", "platform_release"},
    {"platform_system", "platform_system"},
    {"platform_version", "platform_version"},
    {"platform_machine", "platform_machine"},
    {"platform_python_implementation", "platform_python_implementation"},
    {"implementation_name", "implementation_name"},
    {"implementation_version", "implementation_version"},
    {"extra", "extra"},
    {"extras", "extras"},
    {"dependency_groups", "dependency_groups"},
    {"os.name", "os_name"},
    {"sys.platform", "sys_platform"},
    {"platform.version", "platform_version"},
    {"platform.machine", "platform_machine"},
    {"platform.python_implementation", "platform_python_implementation"},
    {"python_implementation", "platform_python_implementation"},
}};

constexpr std::array<std::string_view, 8> kOperators = {
    "===", "==", "~=", "!=", "<=", ">=", "<", ">"};

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

class Parser {
 public:
  explicit Parser(Scanner& scan) : scan_(scan) {}

  Result<Marker> marker(int depth) {
    Marker out;
    out.terms.push_back(TRY(term(depth)));
    for (std::string_view joint = take_joint(); !joint.empty(); joint = take_joint()) {
      out.joints.emplace_back(joint);
      out.terms.push_back(TRY(term(depth)));
    }
    return out;
  }

 private:
  Result<Marker::Term> term(int depth) {
    scan_.skip_blanks();
    const std::size_t open = scan_.at();
    if (!scan_.take("(")) {
      return Marker::Term(TRY(test()));
    }
    if (depth == kMaxDepth) {
      return scan_.error_at(open, "the marker is nested deeper than {}", kMaxDepth);
    }
    Marker inner = TRY(marker(depth + 1));
    scan_.skip_blanks();
    if (!scan_.take(")")) {
      return scan_.error_at(open, "this '(' is never closed").with_hint(joint_hint());
    }
    // Parentheses round a single test say nothing.
    return inner.terms.size() == 1 ? std::move(inner.terms.front())
                                   : Marker::Term(std::move(inner));
  }

  Result<Marker::Test> test() {
    Marker::Test out;
    out.left = TRY(operand());
    scan_.skip_blanks();
    out.op = TRY(op());
    scan_.skip_blanks();
    out.right = TRY(operand());
    return out;
  }

  Result<Marker::Operand> operand() {
    const std::size_t begin = scan_.at();
    const char quote = scan_.peek();
    if (quote == '"' || quote == '\'') {
      return quoted(quote);
    }
    const std::string_view word = scan_.take_while(is_word_char);
    if (word.empty()) {
      return scan_.error("a marker's variable or a text in quotes was expected here")
          .with_hint("write for example ; python_version < \"3.11\"");
    }
    const auto* const known = std::ranges::find(kVariables, word, &Variable::spelling);
    if (known == kVariables.end()) {
      return scan_.error_at(begin, "unknown marker variable {}", printable(word))
          .with_hint(word_hint(word));
    }
    return Marker::Operand{true, std::string(known->name)};
  }

  Result<Marker::Operand> quoted(char quote) {
    const std::size_t begin = scan_.at();
    scan_.move_to(begin + 1);
    const std::string_view text = scan_.take_while([quote](char c) { return c != quote; });
    if (scan_.done()) {
      return scan_.error_at(begin, "this quote is never closed");
    }
    scan_.move_to(scan_.at() + 1);
    if (text.find('\\') != std::string_view::npos) {
      return scan_.error_at(begin,
                            "a marker's text cannot hold a backslash");  // PEP 508, python_str
    }
    return Marker::Operand{false, std::string(text)};
  }

  Result<std::string> op() {
    for (const std::string_view one : kOperators) {
      if (scan_.take(one)) {
        return std::string(one);
      }
    }
    const std::size_t begin = scan_.at();
    const std::string_view word = scan_.take_while(is_word_char);
    if (word == "in") {
      return std::string(word);
    }
    scan_.skip_blanks();
    if (word == "not" && scan_.take_while(is_word_char) == "in") {
      return std::string("not in");
    }
    return scan_.error_at(begin, "an operator of a marker was expected here")
        .with_hint(scan_.text().substr(begin).starts_with('=')
                       ? "did you mean ==?"
                       : "write one of <, <=, ==, !=, >=, >, ~=, ===, in, not in");
  }

  // "and" or "or" if one comes next, else "".
  std::string_view take_joint() {
    const std::size_t begin = scan_.at();
    scan_.skip_blanks();
    const std::string_view word = scan_.take_while(is_word_char);
    if (word == "and" || word == "or") {
      return word;
    }
    scan_.move_to(begin);
    return {};
  }

  std::string joint_hint() const {
    const bool sign = scan_.rest().starts_with('&') || scan_.rest().starts_with('|');
    return sign ? "write 'and' and 'or'" : "";
  }

  static std::string word_hint(std::string_view word) {
    if (word.front() >= '0' && word.front() <= '9') {
      return "write it in quotes: \"" + std::string(word) + "\"";
    }
    std::array<std::string_view, kVariables.size()> names;
    std::ranges::transform(kVariables, names.begin(), &Variable::spelling);
    const std::string_view near = nearest(word, names);
    return near.empty() ? "a text stands in quotes; variables are python_version, sys_platform, "
                          "platform_machine and the like"
                        : "did you mean " + std::string(near) + "?";
  }

  Scanner& scan_;
};

std::string to_string(const Marker::Operand& operand) {
  if (operand.variable) {
    return operand.text;
  }
  const char quote = operand.text.find('"') == std::string::npos ? '"' : '\'';
  return quote + operand.text + quote;
}

std::string to_string(const Marker::Term& term) {
  if (const auto* group = std::get_if<Marker>(&term)) {
    return "(" + group->to_string() + ")";
  }
  const auto& test = std::get<Marker::Test>(term);
  return to_string(test.left) + " " + test.op + " " + to_string(test.right);
}

}  // namespace

bool Marker::operator==(const Marker&) const = default;

std::string Marker::to_string() const {
  std::string out;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    out += (i == 0 ? "" : " " + joints[i - 1] + " ") + pypi::to_string(terms[i]);
  }
  return out;
}

Result<Marker> read_marker(Scanner& scan) {
  Marker out = TRY(Parser(scan).marker(0));
  // A group that stands alone needs no parentheses.
  while (out.terms.size() == 1 && std::holds_alternative<Marker>(out.terms.front())) {
    Marker inner = std::move(std::get<Marker>(out.terms.front()));
    out = std::move(inner);
  }
  return out;
}

Result<Marker> parse_marker(std::string_view text) {
  Scanner scan(text);
  Marker out = TRY(read_marker(scan));
  scan.skip_blanks();
  if (!scan.done()) {
    return scan.error("'and' or 'or' was expected here")
        .with_hint(scan.peek() == '&' || scan.peek() == '|' ? "write 'and' and 'or'" : "");
  }
  return out;
}

}  // namespace cloche::pypi
