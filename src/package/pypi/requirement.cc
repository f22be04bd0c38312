#include "package/pypi/requirement.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "core/ascii.h"
#include "core/text.h"
#include "package/pypi/marker.h"
#include "package/pypi/scanner.h"
#include "package/pypi/specifier.h"
#include "package/pypi/url.h"
#include "package/pypi/variable.h"

namespace cloche::pypi {
namespace {

constexpr std::size_t kMaxBytes = 16384;
constexpr std::size_t kMaxExtras = 1000;

bool is_name_char(char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; }
bool is_space(char c) { return c == ' ' || c == '\t'; }

// A short piece of the text for a message.
std::string shown(std::string_view text) { return printable(hide_passwords(text.substr(0, 80))); }

void sort_unique(std::vector<std::string>& list) {
  std::ranges::sort(list);
  const auto repeated = std::ranges::unique(list);
  list.erase(repeated.begin(), repeated.end());
}

// identifier: letters and digits, between them also '-', '_' and '.' (PEP 508, "Names").
Result<std::string_view> read_identifier(Scanner& scan, std::string_view what) {
  const std::size_t begin = scan.at();
  const std::string_view word = scan.take_while(is_name_char);
  if (word.empty()) {
    return scan.error("{} was expected here", what);
  }
  if (!is_alnum(word.front()) || !is_alnum(word.back())) {
    return scan.error_at(is_alnum(word.front()) ? scan.at() - 1 : begin,
                         "{} begins and ends with a letter or digit", what);
  }
  return word;
}

// "[a, b]", if it stands here.
Result<std::vector<std::string>> read_extras(Scanner& scan) {
  std::vector<std::string> out;
  const std::size_t open = scan.at();
  if (!scan.take("[")) {
    return out;
  }
  scan.skip_blanks();
  while (!scan.take("]")) {
    if (scan.done()) {
      return scan.error_at(open, "this '[' is never closed");
    }
    if (!out.empty()) {
      if (!scan.take(",")) {
        return scan.error("a comma or ']' was expected here").with_hint("write name[one,two]");
      }
      scan.skip_blanks();
    }
    if (out.size() == kMaxExtras) {
      return scan.error("more than {} extras", kMaxExtras);
    }
    out.emplace_back(TRY(read_identifier(scan, "an extra's name")));
    scan.skip_blanks();
  }
  sort_unique(out);
  return out;
}

// What people write instead of a requirement; "" when it is none of the known slips.
std::string start_hint(std::string_view text) {
  if (text.starts_with('\'') || text.starts_with('"')) {
    const std::size_t end = text.find_first_of("'\"", 1);
    const std::string inner(text.substr(1, end == std::string_view::npos ? end : end - 1));
    return "quotes and commas are Python's, not pip's: write " + shown(inner);
  }
  if (text.starts_with("- ")) {
    return "a requirements file is no YAML list: leave the '-' out";
  }
  if (text.starts_with("${")) {
    return "a variable cannot stand for a name; variables are written ${NAME}, of A-Z, 0-9 and '_'";
  }
  return "a requirement begins with a package's name, a URL or a path";
}

bool is_two_part_scheme(std::string_view scheme) {
  return scheme == "git" || scheme == "hg" || scheme == "bzr" || scheme == "svn";
}

class Parser {
 public:
  explicit Parser(std::string_view text) : scan_(text) {}

  Result<Requirement> parse() {
    TRY(check_whole());
    if (!url_scheme(scan_.text()).empty()) {
      TRY(bare_url());
    } else if (is_path()) {
      TRY(bare_path());
    } else {
      TRY(named());
    }
    return std::move(out_);
  }

  Result<Requirement> parse_editable() {
    TRY(check_whole());
    const std::size_t at = scan_.text().find('@');
    const bool named_url = at != std::string_view::npos && url_scheme(scan_.text()).empty() &&
                           is_named_url(scan_.text(), at);
    if (named_url) {
      TRY(named());
      return std::move(out_);
    }
    out_.bare = true;
    const std::string scheme = url_scheme(scan_.text());
    if (scheme.empty() && scan_.text().find("://") != std::string_view::npos) {
      return unknown_scheme();
    }
    if (!scheme.empty() && scheme != "file" && !is_vcs_scheme(scheme)) {
      return scan_.error("only a path or a version control URL can be editable")
          .with_hint("write -e ./folder or -e git+https://host/repository#egg=name");
    }
    out_.url = scan_.text();
    TRY(strip_extras());
    TRY(scheme.empty() ? Status() : check_url(scan_, 0, out_.url));
    TRY(egg_name());
    return std::move(out_);
  }

 private:
  Status check_whole() {
    const std::string_view text = scan_.text();
    if (text.empty()) {
      return scan_.error("the requirement is empty");
    }
    if (text.size() > kMaxBytes) {
      return fail(ErrorKind::kInvalid, "the requirement is longer than {} bytes", kMaxBytes)
          .with_location({"", 1, 1});
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < 0x20 && byte != '\t') {
        return scan_.error_at(i, "a requirement cannot hold the control character {}",
                              printable(text.substr(i, 1)));
      }
    }
    return {};
  }

  // "name @ url", "name[extra]@url": what stands before the '@' is no path.
  static bool is_named_url(std::string_view text, std::size_t at) {
    const std::string_view before = trim(text.substr(0, at));
    return !before.empty() && before.find('/') == std::string_view::npos &&
           is_alnum(before.front());
  }

  // pip takes for a path what begins with '.', holds a '/', or is an archive's name
  // (req/constructors.py, _get_url_from_path).
  bool is_path() const {
    std::string_view text = scan_.text();
    if (text.starts_with('.') || text.starts_with('/') || text.starts_with("~/")) {
      return true;
    }
    const std::size_t variable = variable_length(text);
    if (variable > 0) {
      const std::string_view behind = trim_left(text.substr(variable));
      return behind.find_first_of("=<>!~@(") != 0;  // else it stands for a name
    }
    text = trim(text.substr(0, text.find(';')));
    const std::size_t at = text.find('@');
    const bool named = at != std::string_view::npos && is_named_url(text, at);
    if (named) {
      return false;
    }
    const std::size_t end = std::min(text.find_first_not_of(kNameChars), text.size());
    if (end < text.size() && text[end] == '/' && end > 0) {
      return true;
    }
    if (text.ends_with(']')) {
      text = text.substr(0, text.rfind('['));
    }
    const bool plain = text.find_first_of(" =<>!~[(") == std::string_view::npos;
    return plain && is_archive_name(text);
  }

  // URL [ " ;" marker ], or "URL; marker" as pip splits it.
  Status bare_url() {
    out_.bare = true;
    std::string_view url = scan_.take_while([](char c) { return !is_space(c); });
    const std::size_t end = scan_.at();
    scan_.skip_blanks();
    if (url.ends_with(';')) {
      url.remove_suffix(1);
      scan_.move_to(end - 1);
    }
    out_.url = url;
    TRY(marker_or_end("a blank stands in the URL"));
    TRY(strip_extras());
    TRY(check_url(scan_, 0, out_.url));
    const std::string_view path = path_of(out_.url);
    const std::size_t bracket = path.find('[');
    if (bracket != std::string_view::npos) {
      const auto before = static_cast<std::size_t>(path.data() - out_.url.data());
      return scan_.error_at(before + bracket, "extras of a URL stand before it")
          .with_hint("write name[extra] @ URL");
    }
    TRY(egg_name());
    return file_name();
  }

  // A URL's path, without authority (which may hold an IPv6 address) and fragment.
  static std::string_view path_of(std::string_view url) {
    url = url.substr(0, url.find('#'));
    const std::size_t authority = url.find("://");
    if (authority == std::string_view::npos) {
      return url;
    }
    const std::size_t slash = url.find('/', authority + 3);
    return slash == std::string_view::npos ? std::string_view() : url.substr(slash);
  }

  Status bare_path() {
    out_.bare = true;
    const std::string_view text = scan_.text();
    const std::size_t end = std::min(text.find(';'), text.size());
    out_.url = trim(text.substr(0, end));
    scan_.move_to(end);
    TRY(marker_or_end(""));
    TRY(strip_extras());
    if (out_.url.empty()) {
      return scan_.error_at(0, "the path is empty");
    }
    // At a line's end it would continue the line.
    if (out_.url.ends_with('\\')) {
      return scan_.error_at(out_.url.size() - 1, "a path cannot end with '\\'")
          .with_hint("write '/' between folders");
    }
    TRY(egg_name());
    return file_name();
  }

  // "[a,b]" at the end of a path, or of a URL that can have it there (pip: _strip_extras).
  Status strip_extras() {
    const std::string_view url = out_.url;
    const std::size_t open = url.rfind('[');
    if (!url.ends_with(']') || open == std::string_view::npos || open == 0) {
      return {};
    }
    const std::size_t fragment = url.find('#');
    const std::size_t egg = url.rfind("egg=");
    const bool behind_egg = fragment < egg && egg != std::string_view::npos && egg < open &&
                            url.find('&', egg) == std::string_view::npos;
    const std::string scheme = url_scheme(url);
    const bool whole_file = scheme == "file" && fragment == std::string_view::npos;
    if (!scheme.empty() && !whole_file && !behind_egg) {
      return {};
    }
    Scanner extras(scan_.text().substr(0, url.size()));
    extras.move_to(open);
    out_.extras = TRY(read_extras(extras));
    if (open > 0 && url[open - 1] == ']') {
      return scan_.error_at(open, "two lists of extras follow each other")
          .with_hint("write [one,two]");
    }
    out_.url.resize(open);
    return {};
  }

  // The name, and extras in the midst of the URL, out of "#egg=name[extra]".
  Status egg_name() {
    const std::optional<std::string_view> egg = egg_fragment(out_.url);
    if (!egg || egg->empty() || egg->starts_with("${") || url_scheme(out_.url).empty()) {
      return {};
    }
    const std::string value(*egg);
    const std::size_t at = out_.url.find("egg=") + 4;
    Scanner scan(value);
    const auto moved = [&](Error error) {
      return scan_
          .error_at(at + static_cast<std::size_t>(error.at.column) - 1,
                    "{} in #egg=", error.message)
          .with_hint("write #egg=name");
    };
    Result<std::string_view> name = read_identifier(scan, "a package's name");
    if (!name.has_value()) {
      return moved(name.error());
    }
    out_.name = *name;
    Result<std::vector<std::string>> extras = read_extras(scan);
    if (!extras.has_value()) {
      return moved(extras.error());
    }
    if (!scan.done()) {
      return moved(scan.error("only a name may stand"));
    }
    if (!extras->empty()) {
      out_.extras.insert(out_.extras.end(), extras->begin(), extras->end());
      sort_unique(out_.extras);
    }
    return {};
  }

  // A name that the file's name tells.
  Status file_name() {
    if (!out_.name.empty() || is_vcs_scheme(url_scheme(out_.url))) {
      return {};
    }
    Result<std::string> name = file_distribution(out_.url);
    if (!name.has_value()) {
      const std::size_t slash = out_.url.rfind('/');
      return scan_.error_at(slash == std::string::npos ? 0 : slash + 1, "{}", name.error().message)
          .with_hint(name.error().hint);
    }
    out_.name = std::move(*name);
    return {};
  }

  // Nothing more, or ';' and a marker.
  Status marker_or_end(std::string_view complaint) {
    scan_.skip_blanks();
    if (scan_.done()) {
      return {};
    }
    if (!scan_.take(";")) {
      return scan_.error("{}", complaint).with_hint("a marker stands behind \" ; \"");
    }
    scan_.skip_blanks();
    return scan_.done() ? Status() : marker();
  }

  Status marker() {
    out_.marker = TRY(read_marker(scan_)).to_string();
    scan_.skip_blanks();
    if (scan_.done()) {
      return {};
    }
    const char next = scan_.peek();
    return scan_.error("the marker should end here, or go on with 'and' or 'or'")
        .with_hint(next == '&' || next == '|' ? "write 'and' and 'or'"
                   : next == ','              ? "write one requirement a line"
                                              : "");
  }

  Status named() {
    const std::size_t scheme = scan_.text().find("://");
    if (scheme != std::string_view::npos &&
        scan_.text().substr(0, scheme).find_first_of(" @;[=<>") == std::string_view::npos) {
      return unknown_scheme();
    }
    if (!is_alnum(scan_.peek())) {
      return scan_
          .error("a package's name cannot begin with '{}'", printable(scan_.rest().substr(0, 1)))
          .with_hint(start_hint(scan_.text()));
    }
    out_.name = TRY(read_identifier(scan_, "a package's name"));
    scan_.skip_blanks();
    out_.extras = TRY(read_extras(scan_));
    scan_.skip_blanks();
    if (scan_.take("@")) {
      return named_url();
    }
    TRY(versions());
    scan_.skip_blanks();
    if (scan_.done()) {
      return {};
    }
    if (!scan_.take(";")) {
      return scan_
          .error("{}", out_.specifier.empty() ? "a version, a marker or the end was expected here"
                                              : "a comma, a marker or the end was expected here")
          .with_hint(tail_hint());
    }
    scan_.skip_blanks();
    return scan_.done() ? Status() : marker();
  }

  Status versions() {
    const std::size_t open = scan_.at();
    const bool parenthesis = scan_.take("(");
    scan_.skip_blanks();
    out_.specifier = to_string(TRY(read_specifiers(scan_)));
    scan_.skip_blanks();
    if (parenthesis && !scan_.take(")")) {
      const bool bare_version = out_.specifier.empty() && is_alnum(scan_.peek());
      return scan_
          .error_at(bare_version ? scan_.at() : open, "{}",
                    bare_version ? "an operator is missing" : "this '(' is never closed")
          .with_hint(bare_version ? "write " + out_.name + "==VERSION" : "");
    }
    return {};
  }

  // Behind '@': a URL, then a blank and a marker. pip cuts at the first ';' even without blanks.
  Status named_url() {
    scan_.skip_blanks();
    const std::size_t begin = scan_.at();
    std::string_view url = scan_.take_while([](char c) { return !is_space(c); });
    if (url.empty()) {
      return scan_.error("the URL behind '@' is missing")
          .with_hint("write " + out_.name + " @ https://host/file.whl");
    }
    const std::size_t semicolon = url.find(';');
    if (semicolon != std::string_view::npos && is_marker_behind(begin + semicolon)) {
      url = url.substr(0, semicolon);
      scan_.move_to(begin + semicolon);
    }
    out_.url = url;
    const bool variable = variable_length(url) > 0;
    if (url_scheme(url).empty() && !variable) {
      return bad_target(begin, url);
    }
    TRY(check_url(scan_, begin, url));
    return marker_or_end("a blank stands in the URL");
  }

  // Whether the ';' at `at` begins a marker, or ends the text, rather than belong to a URL.
  bool is_marker_behind(std::size_t at) const {
    const std::string_view rest = trim(scan_.text().substr(at + 1));
    return rest.empty() || parse_marker(rest).has_value();
  }

  Error bad_target(std::size_t at, std::string_view url) const {
    if (url.find("://") != std::string_view::npos || url.find(':') == std::string_view::npos) {
      const bool path = url.find("://") == std::string_view::npos;
      return scan_
          .error_at(at, "{}", path ? "'@' takes a URL, not a path" : "pip knows no such URL")
          .with_hint(path ? "write the path alone, or file:///absolute/path"
                          : "URLs begin with https://, http://, file:// or git+https://");
    }
    return scan_.error_at(at, "'@' takes a URL, and {} is none", shown(url))
        .with_hint(out_.name == "git" || url.starts_with("git@")
                       ? "write git+ssh://git@host/repository.git"
                       : "URLs begin with https://, http://, file:// or git+https://");
  }

  Error unknown_scheme() const {
    const std::string scheme(scan_.text().substr(0, scan_.text().find("://")));
    return scan_.error_at(0, "pip knows no URLs that begin with {}://", shown(scheme))
        .with_hint(is_two_part_scheme(to_lower(scheme)) ? "did you mean " + scheme + "+https://?"
                   : to_lower(scheme) == "ssh"
                       ? "did you mean git+ssh://?"
                       : "URLs begin with https://, http://, file:// or git+https://");
  }

  // What probably was meant where a requirement goes on in a wrong way.
  std::string tail_hint() const {
    const std::string_view rest = scan_.rest();
    const std::string before =
        out_.name + (out_.extras.empty() ? "" : "[" + join(out_.extras, ",") + "]");
    struct Slip {
      std::string_view wrong;
      std::string_view right;
    };
    static constexpr std::array<Slip, 3> kSlips = {{{"=>", ">="}, {"=<", "<="}, {"=", "=="}}};
    for (const Slip& slip : kSlips) {
      if (rest.starts_with(slip.wrong)) {
        // conda's "name=version=build" has a second '='.
        std::string_view version = trim(rest.substr(slip.wrong.size()));
        version = version.substr(0, version.find_first_of("=; "));
        return "did you mean " + before + std::string(slip.right) + shown(version) + "?";
      }
    }
    if (out_.name == "pip" && rest.starts_with("install ")) {
      return "write only what stands behind pip install";
    }
    if (rest.starts_with('#')) {
      return "put a blank before the '#' of a comment";
    }
    if (rest.starts_with('\\')) {
      return "a '\\' that continues the line must be its last character";
    }
    if (rest.starts_with(',') || (!out_.specifier.empty() && is_alnum(rest.front()))) {
      return "write one requirement a line";
    }
    if (rest.front() >= '0' && rest.front() <= '9') {
      const std::string_view version = rest.substr(0, rest.find_first_of("; "));
      return "did you mean " + before + "==" + shown(version) + "?";
    }
    return is_alnum(rest.front()) ? "write one requirement a line" : "";
  }

  static constexpr std::string_view kNameChars =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

  Scanner scan_;
  Requirement out_;
};

// Extras in the midst of a URL ("#egg=a[b]&subdirectory=c") are printed with it.
bool holds_extras(const Requirement& requirement) {
  const std::optional<std::string_view> egg = egg_fragment(requirement.url);
  return requirement.bare && !url_scheme(requirement.url).empty() && egg &&
         egg->find('[') != std::string_view::npos;
}

}  // namespace

std::string normal_name(std::string_view name) {
  std::string out;
  for (const char c : to_lower(name)) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (!separator) {
      out += c;
    } else if (!out.ends_with('-')) {
      out += '-';
    }
  }
  return out;
}

bool Requirement::exact() const {
  if (!url.empty()) {
    return is_exact_url(url);
  }
  const auto clauses = parse_specifiers(specifier);
  return clauses.has_value() && std::ranges::any_of(*clauses, [](const Specifier& one) {
           return (one.op == "==" && !one.wildcard) || one.op == "===";
         });
}

bool Requirement::pinned() const {
  if (!url.empty()) {
    return true;
  }
  static constexpr std::array<std::string_view, 5> kBounds = {"==", "===", "~=", "<", "<="};
  const auto clauses = parse_specifiers(specifier);
  return clauses.has_value() && std::ranges::any_of(*clauses, [](const Specifier& one) {
           return std::ranges::find(kBounds, one.op) != kBounds.end();
         });
}

std::string Requirement::to_string() const {
  const std::string brackets =
      extras.empty() || holds_extras(*this) ? "" : "[" + join(extras, ",") + "]";
  std::string out = bare ? url + brackets : name + brackets + specifier;
  if (!bare && !url.empty()) {
    out += " @ " + url;
  }
  if (!marker.empty()) {
    out += (url.empty() ? "; " : " ; ") + marker;
  }
  return out;
}

namespace {

// Parses without the outer blanks, and tells places in the text with them.
template <class Parse>
Result<Requirement> parse_trimmed(std::string_view text, Parse parse) {
  const std::size_t blanks = text.size() - trim_left(text).size();
  Result<Requirement> out = parse(Parser(trim(text)));
  if (!out.has_value() && !out.error().excerpt.empty()) {
    out.error().at.column += static_cast<int>(blanks);
    out.error().excerpt = star_passwords(text);
  }
  return out;
}

}  // namespace

Result<Requirement> parse_requirement(std::string_view text) {
  return parse_trimmed(text, [](Parser parser) { return parser.parse(); });
}

Result<Requirement> parse_editable(std::string_view text) {
  return parse_trimmed(text, [](Parser parser) { return parser.parse_editable(); });
}

}  // namespace cloche::pypi
