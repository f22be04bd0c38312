#include "package/debian/requirement.h"

#include <algorithm>
#include <cstddef>

#include "core/ascii.h"
#include "core/text.h"

namespace cloche::debian {
namespace {

constexpr std::size_t kMaxBytes = 512;

bool is_name_char(char c) { return is_digit(c) || is_lower(c) || c == '+' || c == '-' || c == '.'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Requirement> parse() {
    TRY(check_whole());
    const std::size_t name_end = std::min(text_.find_first_of(":=/"), text_.size());
    Requirement out;
    out.name = TRY(name(name_end));
    std::size_t at = name_end;
    if (at < text_.size() && text_[at] == ':') {
      const std::size_t end = std::min(text_.find_first_of("=/", at), text_.size());
      out.architecture = TRY(architecture(at + 1, end));
      at = end;
    }
    if (at < text_.size() && text_[at] == '=') {
      out.version = TRY(version(at + 1));
    } else if (at < text_.size()) {
      out.suite = TRY(suite(at + 1));
    }
    return out;
  }

 private:
  template <class... Args>
  Error error(ErrorKind kind, std::size_t offset, fmt::format_string<Args...> format,
              Args&&... args) const {
    return fail(kind, format, std::forward<Args>(args)...)
        .with_location({"", 1, static_cast<int>(offset) + 1},
                       std::string(text_.substr(0, kMaxBytes)));
  }
  template <class... Args>
  Error invalid(std::size_t offset, fmt::format_string<Args...> format, Args&&... args) const {
    return error(ErrorKind::kInvalid, offset, format, std::forward<Args>(args)...);
  }

  std::string shown(std::size_t offset) const { return printable(text_.substr(offset, 1)); }

  // What is no package at all, but often tried.
  Status check_whole() const {
    if (text_.empty()) {
      return invalid(0, "the package's name is missing");
    }
    if (text_.size() > kMaxBytes) {
      return invalid(0, "the package is longer than {} bytes", kMaxBytes);
    }
    if (text_.starts_with('-')) {
      return invalid(0, "an option is no package").with_hint("list packages only");
    }
    if (text_.find("://") != std::string_view::npos || text_.ends_with(".deb") ||
        text_.starts_with("./") || text_.starts_with('/')) {
      return error(ErrorKind::kUnsupported, 0, "packages come from the archive, not from a file")
          .with_hint("write the package's name");
    }
    TRY(check_relation());
    const auto* const blank = std::ranges::find_if(text_, is_blank);
    if (blank != text_.end()) {
      return invalid(static_cast<std::size_t>(blank - text_.begin()), "a package holds no blanks")
          .with_hint("write one package an item, as name or name=version");
    }
    return {};
  }

  // pip's and dpkg's ways to write a version.
  Status check_relation() const {
    const std::size_t at = text_.find_first_of("<>=~!(");
    if (at == std::string_view::npos || at == 0) {
      return {};
    }
    const std::string_view rest = text_.substr(at);
    const std::string name(trim(text_.substr(0, at)));
    if (rest.starts_with("==") || rest.starts_with("~=") || rest.starts_with("(=")) {
      const std::size_t version = std::min(rest.find_first_not_of("=~( "), rest.size());
      const std::size_t end = std::min(rest.find_first_of(") ", version), rest.size());
      return invalid(at, "apt knows no '{}'", rest.substr(0, 2))
          .with_hint("did you mean " + name + "=" + printable(rest.substr(version, end - version)) +
                     "?");
    }
    if (rest.starts_with('=') || rest.starts_with('~')) {
      return {};
    }
    return invalid(at, "apt installs one version or the newest, not a range")
        .with_hint("write " + printable(name) + " or " + printable(name) + "=VERSION");
  }

  // Policy 5.6.1: at least two of a-z 0-9 + - . , beginning with a letter or digit.
  Result<std::string> name(std::size_t end) const {
    const std::string_view name = text_.substr(0, end);
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (is_name_char(name[i])) {
        continue;
      }
      if (name[i] == '*' || name[i] == '?' || name[i] == '^' || name[i] == '$') {
        return error(ErrorKind::kUnsupported, i, "patterns and tasks ('{}') are not supported",
                     shown(i))
            .with_hint("name each package");
      }
      const bool upper = name[i] >= 'A' && name[i] <= 'Z';
      return invalid(i, "a package's name cannot hold '{}'", shown(i))
          .with_hint(upper ? "did you mean " + to_lower(printable(text_)) + "?"
                           : "names are lower-case letters, digits, '+', '-' and '.'");
    }
    if (name.size() < 2) {
      return invalid(0, "a package's name has at least two characters");
    }
    if (!is_digit(name[0]) && !is_lower(name[0])) {
      return invalid(0, "a package's name begins with a letter or digit");
    }
    if (name.ends_with('-')) {
      return error(ErrorKind::kUnsupported, name.size() - 1,
                   "a '-' behind the name removes a package, which is not supported")
          .with_hint("leave the '-' out to install it");
    }
    return std::string(name);
  }

  Result<std::string> architecture(std::size_t begin, std::size_t end) const {
    const std::string_view arch = text_.substr(begin, end - begin);
    const auto good = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
    const auto* const bad = std::ranges::find_if_not(arch, good);
    if (arch.empty() || bad != arch.end()) {
      return invalid(begin + static_cast<std::size_t>(bad - arch.begin()),
                     "'{}' is no architecture", printable(arch))
          .with_hint(is_digit(text_[0]) || arch.find('.') != std::string_view::npos
                         ? "a version stands behind '='"
                         : "write name:amd64");
    }
    return std::string(arch);
  }

  // Policy 5.6.12: [epoch:]upstream[-revision]. apt takes a '*' at the end for "any rest".
  Result<std::string> version(std::size_t begin) const {
    const std::string_view version = text_.substr(begin);
    std::size_t upstream = 0;
    const std::size_t colon = version.find(':');
    if (colon != std::string_view::npos) {
      if (colon == 0 || !std::ranges::all_of(version.substr(0, colon), is_digit)) {
        return invalid(begin, "the epoch before ':' is not a number");
      }
      upstream = colon + 1;
    }
    if (upstream >= version.size() || !is_digit(version[upstream])) {
      return invalid(begin + upstream, "a version begins with a digit")
          .with_hint("write name=1.2-3, or name/suite for a suite");
    }
    for (std::size_t i = upstream; i < version.size(); ++i) {
      const char c = version[i];
      const bool wildcard = c == '*' && i + 1 == version.size();
      const bool inner_colon = c == ':' && colon != std::string_view::npos;
      if (!is_alnum(c) && c != '.' && c != '+' && c != '-' && c != '~' && !inner_colon &&
          !wildcard) {
        return invalid(begin + i, "a version cannot hold '{}' here", shown(begin + i))
            .with_hint(c == '/' ? "write a version or a suite, not both" : "");
      }
    }
    if (version.ends_with('-')) {
      return invalid(begin + version.size() - 1, "the revision behind '-' is missing");
    }
    return std::string(version);
  }

  Result<std::string> suite(std::size_t begin) const {
    const std::string_view suite = text_.substr(begin);
    if (suite.empty() || !is_alnum(suite[0])) {
      return invalid(begin, "the suite behind '/' is missing")
          .with_hint("write name/bookworm-backports");
    }
    for (std::size_t i = 0; i < suite.size(); ++i) {
      const char c = suite[i];
      if (!is_alnum(c) && c != '-' && c != '.' && c != '_' && c != '/') {
        return invalid(begin + i, "a suite cannot hold '{}'", shown(begin + i))
            .with_hint(c == '=' ? "write a version or a suite, not both" : "");
      }
    }
    return std::string(suite);
  }

  std::string_view text_;
};

}  // namespace

std::string Requirement::to_string() const {
  std::string out = name;
  if (!architecture.empty()) {
    out += ":" + architecture;
  }
  if (!version.empty()) {
    out += "=" + version;
  } else if (!suite.empty()) {
    out += "/" + suite;
  }
  return out;
}

Result<Requirement> parse_requirement(std::string_view text) { return Parser(text).parse(); }

}  // namespace cloche::debian
