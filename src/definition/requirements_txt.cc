#include "definition/requirements_txt.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "core/credentials.h"
#include "core/text.h"
#include "definition/joined_line.h"
#include "definition/pip_options.h"
#include "definition/python_text.h"
#include "package/pypi/requirement.h"
#include "package/pypi/variable.h"

namespace cloche::definition {
namespace {

using pypi::has_variable;
using pypi::is_variable_char;

constexpr std::size_t kMaxDepth = 16;       // of files that include each other
constexpr std::size_t kMaxFiles = 500;      // included files altogether
constexpr std::size_t kMaxLines = 100'000;  // lines altogether
constexpr std::size_t kMaxWarnings = 1000;
constexpr std::size_t kMaxExcerpt = 4096;  // bytes of a line that is worth showing

bool has_scheme(std::string_view text, std::span<const std::string_view> schemes) {
  const std::string lower = to_lower(text.substr(0, 8));
  return std::ranges::any_of(schemes, [&](auto scheme) { return lower.starts_with(scheme); });
}

bool is_remote(std::string_view text) {
  static constexpr std::array<std::string_view, 2> kRemote = {"http:", "https:"};
  return has_scheme(text, kRemote);
}

// A path inside `directory` from there, any other one unchanged.
std::string relative_to(const std::string& directory, const std::string& path) {
  const std::string base = normal_path(directory);
  const std::string normal = normal_path(path);
  return normal.starts_with(base + "/") ? normal.substr(base.size() + 1) : normal;
}

// Where the lines that are being read come from.
struct Origin {
  std::string file;
  bool constraint = false;
  // An item of another file's pip section: places count from here, excerpts are the caller's.
  std::optional<Location> item;
};

// Reads lines into one section; included files by recursion, whose depth is limited.
class Reader {
 public:
  Reader(std::string_view root, FileSource& files, Diagnostics& diagnostics)
      : root_directory_(parent_path(root)), files_(files), diagnostics_(diagnostics) {
    open_files_.push_back(normal_path(root));
  }

  Status read(std::string_view text, const Origin& origin) {
    const std::vector<JoinedLine> lines = TRY(joined_lines(text, origin.file));
    for (const JoinedLine& line : lines) {
      if (out_.lines.size() >= kMaxLines) {
        return fail(ErrorKind::kInvalid, "more than {} lines with the included files", kMaxLines)
            .with_location(line.at(0, origin.file));
      }
      TRY(LineReader(*this, line, origin).read());
    }
    return {};
  }

  PipSection take() { return std::move(out_); }

 private:
  // One joined line: what it is, with what is to be said about it.
  class LineReader {
   public:
    LineReader(Reader& reader, const JoinedLine& line, const Origin& origin)
        : reader_(reader), line_(line), text_(line.text()), origin_(origin) {}

    Status read() {
      check_variables();
      const std::size_t options_begin = find_options();
      const std::string_view requirement =
          trim_right(std::string_view(text_).substr(0, options_begin));
      const Result<PipOptions> parsed = parse_pip_options(text_, options_begin);
      if (!parsed.has_value()) {
        return placed(parsed.error());
      }
      options_ = *parsed;
      warn_of_stray_words();
      TRY(read_format_control());
      if (!requirement.empty()) {
        return read_requirement(requirement);
      }
      if (first(PipOption::kEditable) != nullptr) {
        return read_editable();
      }
      const PipOptionUse* include = first(PipOption::kRequirement);
      include = include != nullptr ? include : first(PipOption::kConstraint);
      return include != nullptr ? read_include(*include) : read_options();
    }

   private:
    // pip divides a line before the first word that begins with '-' (break_args_options).
    std::size_t find_options() const {
      if (text_.starts_with('-')) {
        return 0;
      }
      const std::size_t at = text_.find(" -");
      return at == std::string::npos ? text_.size() : at + 1;
    }

    void warn_of_stray_words() {
      if (!options_.stray) {
        return;
      }
      if (text_.starts_with("- ")) {
        warn(0, "pip-ignored-words", "pip ignores this line",
             "a requirements file is no YAML list: leave the '-' out");
        return;
      }
      warn(options_.stray_at, "pip-ignored-words", "pip ignores what stands behind an option",
           "put it before the options, or on a line of its own");
    }

    static bool is_format_control(PipOption option) {
      return option == PipOption::kNoBinary || option == PipOption::kOnlyBinary;
    }

    // These two work wherever they stand: pip's reader sets them while it parses the line. A hash
    // is checked even where it is ignored.
    Status read_format_control() {
      for (const PipOptionUse& use : options_.uses) {
        if (is_format_control(use.option)) {
          emit(PipLine::Kind::kOption, use.at, TRY(option_text(use)));
        } else if (use.option == PipOption::kHash) {
          TRY(hash_value(use));
        }
      }
      return {};
    }

    // Says of one option that pip ignores it here.
    void warn_of_ignored(const PipOptionUse& use, const std::string& where) {
      if (!is_format_control(use.option)) {
        warn(use.at, "pip-ignored-option",
             "pip ignores " + std::string(option_name(use.option)) + " " + where,
             "give it a line of its own");
      }
    }

    const PipOptionUse* first(PipOption option) const {
      const auto found = std::ranges::find(options_.uses, option, &PipOptionUse::option);
      return found == options_.uses.end() ? nullptr : &*found;
    }

    Location place(std::size_t offset) const {
      Location at = line_.at(offset, origin_.file);
      if (origin_.item) {
        at.column = at.line == 1 ? at.column + std::max(origin_.item->column, 1) - 1 : 0;
        at.line = origin_.item->line + at.line - 1;
      }
      return at;
    }

    std::string excerpt(std::size_t offset) const {
      const std::string_view source = line_.source(offset);
      return origin_.item || source.size() > kMaxExcerpt ? "" : star_passwords(source);
    }

    // An error in the joined line, told in the file.
    Error placed(Error error) const {
      const auto offset = static_cast<std::size_t>(std::max(error.at.column, 1)) - 1;
      error.excerpt = excerpt(offset);
      error.at = place(offset);
      return error;
    }

    template <class... Args>
    Error invalid(std::size_t offset, fmt::format_string<Args...> format, Args&&... args) const {
      return fail(ErrorKind::kInvalid, format, std::forward<Args>(args)...)
          .with_location(place(offset), excerpt(offset));
    }

    void warn(std::size_t offset, std::string rule, std::string message, std::string hint) {
      if (++reader_.warnings_ <= kMaxWarnings) {
        reader_.diagnostics_.add({Severity::kWarning, std::move(rule), std::move(message),
                                  std::move(hint), place(offset), excerpt(offset)});
      }
    }

    void emit(PipLine::Kind kind, std::size_t offset, std::string text) {
      if (has_password(text)) {
        warn(offset, "pip-password-in-url", "a URL holds a password or token",
             "write ${VARIABLE} in its place: it is filled in while building");
      }
      reader_.out_.lines.push_back({kind, std::move(text), place(offset)});
    }

    PipLine::Kind requirement_kind() const {
      return origin_.constraint ? PipLine::Kind::kConstraint : PipLine::Kind::kRequirement;
    }

    // pip expands "${NAME}" of A-Z, 0-9 and '_' and leaves everything else as it stands.
    void check_variables() {
      for (std::size_t at = text_.find('$'); at != std::string::npos;
           at = text_.find('$', at + 1)) {
        const bool brace = at + 1 < text_.size() && text_[at + 1] == '{';
        const std::size_t begin = at + (brace ? 2 : 1);
        std::size_t end = begin;
        while (end < text_.size() &&
               (is_variable_char(text_[end]) || (text_[end] >= 'a' && text_[end] <= 'z'))) {
          ++end;
        }
        const std::string name = text_.substr(begin, end - begin);
        const bool closed = brace && end < text_.size() && text_[end] == '}';
        if (name.empty() || (closed && std::ranges::all_of(name, is_variable_char))) {
          continue;
        }
        warn(at, "pip-variable-not-expanded", "pip does not expand this variable",
             "write ${" + to_upper(name) + "}");
      }
    }

    Status read_requirement(std::string_view text) {
      const auto parsed = pypi::parse_requirement(text);
      if (!parsed.has_value()) {
        return placed(parsed.error());
      }
      TRY(check_constraint(*parsed));
      if (has_variable(parsed->specifier)) {
        warn(0, "pip-variable-in-version", "the version comes from a variable",
             "the same environment then means different packages; write the version");
      }
      if (parsed->url.empty() && is_text_file(parsed->name)) {
        warn(0, "pip-file-as-name", parsed->name + " is read as a package's name",
             "did you mean -r " + parsed->name + "?");
      }
      std::string line = parsed->to_string();
      for (const PipOptionUse& use : options_.uses) {
        if (belongs_to_requirement(use.option)) {
          line += " " + TRY(option_text(use));
        } else {
          warn_of_ignored(use, "on a requirement's line");
        }
      }
      emit(requirement_kind(), 0, std::move(line));
      return {};
    }

    static bool is_text_file(std::string_view name) {
      return name.ends_with(".txt") || name.ends_with(".in") || name.ends_with(".toml");
    }

    // pip: req/constructors and resolution, check_invalid_constraint_type.
    Status check_constraint(const pypi::Requirement& requirement) const {
      if (!origin_.constraint) {
        return {};
      }
      if (requirement.name.empty()) {
        return invalid(0, "a constraint needs a name").with_hint("write name @ URL");
      }
      if (!requirement.extras.empty()) {
        return invalid(0, "a constraint has no extras")
            .with_hint("write " + requirement.name + requirement.specifier);
      }
      return {};
    }

    Status read_editable() {
      const PipOptionUse& use = *first(PipOption::kEditable);
      const auto parsed = pypi::parse_editable(use.value);
      if (!parsed.has_value()) {
        return invalid(use.value_at, "{}", parsed.error().message).with_hint(parsed.error().hint);
      }
      if (origin_.constraint) {
        return invalid(use.at, "a constraint cannot be editable")
            .with_hint("move the line to the requirements file");
      }
      std::string line = canonical_option(PipOption::kEditable, parsed->to_string());
      for (const PipOptionUse& other : options_.uses) {
        if (other.option == PipOption::kConfigSettings) {
          line += " " + TRY(option_text(other));
        } else if (&other != &use) {
          warn_of_ignored(other, "beside an editable requirement");
        }
      }
      emit(requirement_kind(), use.at, std::move(line));
      return {};
    }

    // A line of options alone. pip applies them in an order of its own, and of some only one.
    Status read_options() {
      std::vector<const PipOptionUse*> uses;
      for (const PipOptionUse& use : options_.uses) {
        if (belongs_to_requirement(use.option)) {
          warn(use.at, "pip-ignored-option",
               "pip ignores " + std::string(option_name(use.option)) + " without a requirement",
               "does a '\\' miss at the end of the line above?");
        } else if (is_format_control(use.option)) {
          continue;  // read already
        } else if (is_effective(use)) {
          uses.push_back(&use);
        } else {
          warn(use.at, "pip-ignored-option",
               "pip takes one " + std::string(option_name(use.option)) + " of a line",
               "give each a line of its own");
        }
      }
      std::ranges::sort(uses, {},
                        [](const PipOptionUse* use) { return std::pair(use->option, use->at); });
      for (const PipOptionUse* use : uses) {
        emit(PipLine::Kind::kOption, use->at, TRY(option_text(*use)));
      }
      return {};
    }

    // Of several on one line, pip takes the last --index-url and the first --find-links.
    bool is_effective(const PipOptionUse& use) const {
      const auto same = [&](const PipOptionUse& other) { return other.option == use.option; };
      if (use.option == PipOption::kFindLinks) {
        return first(use.option) == &use;
      }
      if (use.option == PipOption::kIndexUrl) {
        return std::none_of(&use + 1, options_.uses.data() + options_.uses.size(), same);
      }
      return true;
    }

    // The option in canonical form, its value checked.
    Result<std::string> option_text(const PipOptionUse& use) {
      std::string value = use.value;
      switch (use.option) {
        case PipOption::kHash:
          value = TRY(hash_value(use));
          break;
        case PipOption::kConfigSettings:
          if (value.find('=') == std::string::npos) {
            return invalid(use.value_at, "a config setting has the form KEY=VALUE");
          }
          break;
        case PipOption::kNoBinary:
        case PipOption::kOnlyBinary:
          TRY(check_format_control(use));
          break;
        case PipOption::kIndexUrl:
        case PipOption::kExtraIndexUrl:
          TRY(check_index(use));
          break;
        case PipOption::kFindLinks:
          value = find_links_value(value);
          break;
        case PipOption::kTrustedHost:
          TRY(check_host(use));
          break;
        default:
          break;
      }
      return canonical_option(use.option, value);
    }

    // host or host:port, where the host may be an IPv6 address in brackets.
    Status check_host(const PipOptionUse& use) const {
      const std::string& host = use.value;
      const std::size_t colon = host.rfind(':');
      const std::string port = colon == std::string::npos ? "" : host.substr(colon + 1);
      const bool odd = host.empty() || host.find_first_of("/?#@()'\" ") != std::string::npos;
      const bool bad_port = !host.ends_with(']') && !has_variable(host) &&
                            port.find_first_not_of("0123456789") != std::string::npos;
      if (odd || bad_port) {
        return invalid(use.value_at, "a trusted host is a host, not a URL")
            .with_hint("write host or host:port");
      }
      return {};
    }

    Result<std::string> hash_value(const PipOptionUse& use) const {
      struct Algorithm {
        std::string_view name;
        std::size_t digits;
      };
      static constexpr std::array<Algorithm, 3> kAlgorithms = {
          {{"sha256", 64}, {"sha384", 96}, {"sha512", 128}}};
      const std::size_t colon = use.value.find(':');
      const std::string name = use.value.substr(0, colon);
      const auto algorithm = std::ranges::find(kAlgorithms, name, &Algorithm::name);
      if (colon == std::string::npos || algorithm == kAlgorithms.end()) {
        return invalid(use.value_at, "a hash begins with sha256:, sha384: or sha512:")
            .with_hint("write --hash=sha256:<64 hexadecimal digits>");
      }
      const std::string digits = to_lower(use.value.substr(colon + 1));
      if (digits.size() != algorithm->digits ||
          digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
        return invalid(use.value_at, "a {} hash has {} hexadecimal digits, this one {} characters",
                       name, algorithm->digits, digits.size())
            .with_hint("was it cut while copying?");
      }
      return name + ":" + digits;
    }

    Status check_format_control(const PipOptionUse& use) const {
      for (const std::string_view part : split(use.value, ',')) {
        const std::string_view name = trim(part);
        if (name.empty() || name == ":all:" || name == ":none:" || has_variable(name)) {
          continue;
        }
        const auto parsed = pypi::parse_requirement(name);
        if (!parsed.has_value() || parsed->name != name || parsed->bare) {
          return invalid(use.value_at, "{} takes :all:, :none: or packages' names",
                         option_name(use.option))
              .with_hint("write " + std::string(option_name(use.option)) + "=one,two");
        }
      }
      return {};
    }

    Status check_index(const PipOptionUse& use) {
      static constexpr std::array<std::string_view, 4> kSchemes = {"http://", "https://",
                                                                   "file:", "${"};
      const std::string& url = use.value;
      if (url.empty()) {
        return invalid(use.value_at, "the index's URL is empty");
      }
      if (url.find("://") != std::string::npos && !has_scheme(url, kSchemes) &&
          !has_variable(url)) {
        return invalid(use.value_at, "an index's URL begins with https://, http:// or file://");
      }
      if (!has_scheme(url, kSchemes) && !url.starts_with('.') && !url.starts_with('/')) {
        warn(use.value_at, "pip-index-without-scheme", "pip takes this index for a folder",
             "write https://" + printable(hide_passwords(url)));
      }
      return {};
    }

    // A folder beside an included file is meant, if there is one (pip: handle_option_line).
    std::string find_links_value(const std::string& value) const {
      const std::string directory = parent_path(origin_.file);
      if (directory == reader_.root_directory_ || value.starts_with('/') ||
          value.find("://") != std::string::npos || has_variable(value)) {
        return value;
      }
      const std::string path = join_path(directory, value);
      return reader_.files_.kind(path).has_value() ? relative_to(reader_.root_directory_, path)
                                                   : value;
    }

    Status read_include(const PipOptionUse& use) {
      for (const PipOptionUse& other : options_.uses) {
        if (&other != &use) {
          warn_of_ignored(other, "beside " + std::string(option_name(use.option)));
        }
      }
      if (use.value.empty()) {
        return invalid(use.value_at, "the file's name is missing");
      }
      std::string path = use.value;
      if (to_lower(path.substr(0, 7)) == "file://") {
        path.erase(0, 7);
      }
      if (is_remote(path) || has_variable(path)) {
        keep_include(use, "is not read here, so what it holds is no part of the identity");
        return {};
      }
      const std::string target = join_path(parent_path(origin_.file), path);
      if (path.starts_with('/') && !reader_.files_.kind(target).has_value()) {
        keep_include(use, "is not on this machine; it is looked for in the base image");
        return {};
      }
      const auto read = reader_.include(target, use.option == PipOption::kConstraint);
      return read.has_value() ? Status() : placed_include(read.error(), use);
    }

    void keep_include(const PipOptionUse& use, std::string_view why) {
      warn(use.at, "pip-include-not-read",
           printable(hide_passwords(use.value)) + " " + std::string(why),
           "put the file beside this one");
      emit(PipLine::Kind::kOption, use.at, canonical_option(use.option, use.value));
    }

    // An error about the included file stands at this line; one inside keeps its place.
    Error placed_include(Error error, const PipOptionUse& use) const {
      if (error.at.empty()) {
        error.at = place(use.value_at);
        error.excerpt = excerpt(use.value_at);
      } else {
        error.context.push_back("included from " + place(use.at).to_string());
      }
      return error;
    }

    Reader& reader_;
    const JoinedLine& line_;
    const std::string& text_;
    const Origin& origin_;
    PipOptions options_;
  };

  Status include(const std::string& path, bool constraint) {
    const std::string normal = normal_path(path);
    if (std::ranges::find(open_files_, normal) != open_files_.end()) {
      return fail(ErrorKind::kInvalid, "{} includes itself", printable(path))
          .with_hint(open_files_.back() == normal ? "leave this line out"
                                                  : "by way of " + printable(open_files_.back()));
    }
    if (open_files_.size() > kMaxDepth) {
      return fail(ErrorKind::kInvalid, "files include each other deeper than {}", kMaxDepth);
    }
    if (++included_ > kMaxFiles) {
      return fail(ErrorKind::kInvalid, "more than {} included files", kMaxFiles);
    }
    const std::string bytes = TRY(files_.read(path, kMaxTextBytes));
    const std::string text = TRY(decode_python_text(bytes, path));
    open_files_.push_back(normal);
    TRY(read(text, {path, constraint, std::nullopt}));
    open_files_.pop_back();
    return {};
  }

  std::string root_directory_;
  FileSource& files_;
  Diagnostics& diagnostics_;
  PipSection out_;
  std::vector<std::string> open_files_;
  std::size_t included_ = 0;
  std::size_t warnings_ = 0;
};

std::string constraint_file(int number) {
  return number == 1 ? "constraints.txt" : fmt::format("constraints-{}.txt", number);
}

// Calls `line` for each line that is no constraint, and `run` for each run of constraints.
template <class OnLine, class OnRun>
void for_each_run(const PipSection& pip, OnLine line, OnRun run) {
  int number = 0;
  for (std::size_t i = 0; i < pip.lines.size();) {
    if (pip.lines[i].kind != PipLine::Kind::kConstraint) {
      line(pip.lines[i].text);
      ++i;
      continue;
    }
    std::string text;
    for (; i < pip.lines.size() && pip.lines[i].kind == PipLine::Kind::kConstraint; ++i) {
      text += pip.lines[i].text + "\n";
    }
    run(constraint_file(++number), std::move(text));
  }
}

}  // namespace

Result<PipSection> parse_requirements_txt(std::string_view text, const std::string& file,
                                          FileSource& files, Diagnostics& diagnostics) {
  if (text.size() > kMaxTextBytes) {
    return fail(ErrorKind::kInvalid, "the file is larger than {} bytes", kMaxTextBytes)
        .with_location({file, 0, 0});
  }
  const std::string decoded = TRY(decode_python_text(text, file));
  Reader reader(file, files, diagnostics);
  TRY(reader.read(decoded, {file, false, std::nullopt}));
  return reader.take();
}

Result<PipSection> parse_pip_items(const std::vector<PipItem>& items, const std::string& file,
                                   FileSource& files, Diagnostics& diagnostics) {
  Reader reader(file, files, diagnostics);
  for (const PipItem& item : items) {
    TRY(reader.read(item.text, {file, false, item.at}));
  }
  return reader.take();
}

std::vector<std::string> write_pip_items(const PipSection& pip) {
  std::vector<std::string> out;
  for_each_run(
      pip, [&](const std::string& text) { out.push_back(text); },
      [&](const std::string& name, const std::string&) { out.push_back("-c " + name); });
  return out;
}

std::string write_requirements_txt(const PipSection& pip) {
  std::string out;
  for (const std::string& line : write_pip_items(pip)) {
    out += line + "\n";
  }
  return out;
}

std::map<std::string, std::string> write_constraint_files(const PipSection& pip) {
  std::map<std::string, std::string> out;
  for_each_run(
      pip, [](const std::string&) {},
      [&](std::string name, std::string text) { out[std::move(name)] = std::move(text); });
  return out;
}

}  // namespace cloche::definition
