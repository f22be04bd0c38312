#include "source/debian/apt_sources.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/credentials.h"
#include "core/text.h"
#include "package/debian/paragraph.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20U;

std::string without_final_slashes(std::string_view uri) {
  while (uri.size() > 1 && uri.ends_with('/')) {
    uri.remove_suffix(1);
  }
  return std::string(uri);
}

bool is_yes(std::string_view value) {
  const std::string word = to_lower(trim(value));
  return word == "yes" || word == "true" || word == "on" || word == "1" || word == "with" ||
         word == "enable";
}

bool is_no(std::string_view value) {
  const std::string word = to_lower(trim(value));
  return word == "no" || word == "false" || word == "off" || word == "0" || word == "without" ||
         word == "disable";
}

// Paths, or fingerprints (with apt's '!' for "not its subkeys", which adds nothing here).
void take_signed_by(std::string_view value, AptSource& out) {
  if (value.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----")) {
    for (const std::string_view line : split_lines(value)) {
      const std::string_view text = trim(line);
      out.key_block += text == "." ? "" : text;  // a '.' stands for an empty line
      out.key_block += '\n';
    }
    return;
  }
  std::string words(value);
  std::ranges::replace(words, ',', ' ');
  for (std::string_view word : debian::value_words(words)) {
    if (word.starts_with('/')) {
      out.keyrings.emplace_back(word);
    } else {
      word.remove_suffix(word.ends_with('!') ? 1 : 0);
      out.fingerprints.push_back(to_upper(word));
    }
  }
}

class Expansion {
 public:
  Expansion(std::vector<AptSource>& out, Diagnostics& diagnostics)
      : out_(out), diagnostics_(diagnostics) {}

  Status add(AptSource source) {
    if (out_.size() == kMaxAptSources) {
      return fail(ErrorKind::kInvalid, "too many sources").with_location(source.at);
    }
    source.uri = without_final_slashes(source.uri);
    if (source.uri.starts_with("file:/") || source.uri.starts_with("http://") ||
        source.uri.starts_with("https://")) {
      const bool flat = source.suite.ends_with('/');
      if (flat != source.components.empty()) {
        return fail(ErrorKind::kInvalid, "{}",
                    flat ? "a suite that ends with '/' has no components"
                         : "the components are missing")
            .with_location(source.at)
            .with_hint("most archives have main");
      }
      out_.push_back(std::move(source));
      return {};
    }
    diagnostics_.warn("apt-source-method", source.at,
                      fmt::format("the source {} is left out: only http, https and file are read",
                                  printable(hide_passwords(source.uri))));
    return {};
  }

 private:
  std::vector<AptSource>& out_;
  Diagnostics& diagnostics_;
};

// --- one line each

class OneLine {
 public:
  OneLine(std::string_view line, Location at, Expansion& out)
      : line_(line), at_(std::move(at)), out_(out) {}

  Status read() {
    const std::size_t comment = line_.find('#');
    rest_ = trim(line_.substr(0, comment));
    const std::string_view type = word();
    if (type.empty() || type == "deb-src") {
      return {};
    }
    if (type != "deb") {
      return invalid("a source begins with deb or deb-src");
    }
    AptSource source;
    source.at = at_;
    rest_ = trim_left(rest_);
    if (rest_.starts_with('[')) {
      TRY(options(source));
    }
    source.uri = word();
    source.suite = word();
    if (source.uri.empty() || source.suite.empty()) {
      return invalid("a source needs a URI and a suite");
    }
    for (std::string_view one = word(); !one.empty(); one = word()) {
      source.components.emplace_back(one);
    }
    return out_.add(std::move(source));
  }

 private:
  Error invalid(std::string_view why) const {
    return fail(ErrorKind::kInvalid, "{}", why)
        .with_location(at_, hide_passwords(line_))
        .with_hint("deb http://deb.debian.org/debian bookworm main");
  }

  std::string_view word() {
    rest_ = trim_left(rest_);
    std::size_t end = 0;
    while (end < rest_.size() && !is_blank(rest_[end])) {
      ++end;
    }
    const std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return out;
  }

  Status options(AptSource& source) {
    const std::size_t end = rest_.find(']');
    if (end == std::string_view::npos) {
      return invalid("the options' ']' is missing");
    }
    for (const std::string_view option : debian::value_words(rest_.substr(1, end - 1))) {
      const std::size_t equal = option.find('=');
      if (equal == std::string_view::npos) {
        return invalid("an option is NAME=VALUE");
      }
      const std::string_view value = option.substr(equal + 1);
      const std::string name = to_lower(option.substr(0, equal));
      if (name == "arch") {
        for (const std::string_view one : split(value, ',')) {
          source.architectures.emplace_back(one);
        }
      } else if (name == "signed-by") {
        take_signed_by(value, source);
      } else if (name == "trusted") {
        source.trusted = is_yes(value);
      } else if (name == "check-valid-until") {
        source.check_valid_until = !is_no(value);
      }
    }
    rest_.remove_prefix(end + 1);
    return {};
  }

  std::string_view line_;
  std::string_view rest_;
  Location at_;
  Expansion& out_;
};

Status read_lines(std::string_view text, const std::string& file, Expansion& out) {
  int number = 0;
  for (const std::string_view line : split_lines(text)) {
    TRY(OneLine(line, {file, ++number, 1}, out).read());
  }
  return {};
}

// --- paragraphs

// The words of a value; a line of it that begins with '#' says nothing.
std::vector<std::string_view> words_of(const debian::Paragraph& paragraph, std::string_view field) {
  std::vector<std::string_view> out;
  for (const std::string_view line : debian::value_lines(paragraph.value(field))) {
    if (!line.starts_with('#')) {
      const auto words = debian::value_words(line);
      out.insert(out.end(), words.begin(), words.end());
    }
  }
  return out;
}

Status read_paragraph(const debian::Paragraph& paragraph, const std::string& file, Expansion& out) {
  const auto types = words_of(paragraph, "Types");
  if (is_no(paragraph.value("Enabled")) || std::ranges::find(types, "deb") == types.end()) {
    return {};
  }
  AptSource source;
  source.at = {file, paragraph.line(), 1};
  const auto uris = words_of(paragraph, "URIs");
  const auto suites = words_of(paragraph, "Suites");
  if (uris.empty() || suites.empty()) {
    return fail(ErrorKind::kInvalid, "a source needs URIs and Suites").with_location(source.at);
  }
  for (const std::string_view one : words_of(paragraph, "Components")) {
    source.components.emplace_back(one);
  }
  for (const std::string_view one : words_of(paragraph, "Architectures")) {
    source.architectures.emplace_back(one);
  }
  take_signed_by(paragraph.value("Signed-By"), source);
  source.trusted = is_yes(paragraph.value("Trusted"));
  source.check_valid_until = !is_no(paragraph.value("Check-Valid-Until"));
  for (const std::string_view uri : uris) {
    for (const std::string_view suite : suites) {
      source.uri = uri;
      source.suite = suite;
      TRY(out.add(source));
    }
  }
  return {};
}

Status read_paragraphs(std::string_view text, const std::string& file, Expansion& out) {
  debian::ParagraphReader reader(text, file, debian::ParagraphReader::Comments::kYes);
  debian::Paragraph paragraph;
  while (TRY(reader.next(paragraph))) {
    TRY(read_paragraph(paragraph, file, out));
  }
  return {};
}

// --- releases

struct KnownArchive {
  std::string_view id;
  std::string_view uri;
  std::string_view suffix;
  std::string_view component;
  std::string_view keyring;
};
constexpr std::array<KnownArchive, 6> kKnown = {{
    {"debian", "http://deb.debian.org/debian", "", "main",
     "/usr/share/keyrings/debian-archive-keyring.gpg"},
    {"debian", "http://deb.debian.org/debian", "-updates", "main",
     "/usr/share/keyrings/debian-archive-keyring.gpg"},
    {"debian", "http://deb.debian.org/debian-security", "-security", "main",
     "/usr/share/keyrings/debian-archive-keyring.gpg"},
    {"ubuntu", "http://archive.ubuntu.com/ubuntu", "", "main universe",
     "/usr/share/keyrings/ubuntu-archive-keyring.gpg"},
    {"ubuntu", "http://archive.ubuntu.com/ubuntu", "-updates", "main universe",
     "/usr/share/keyrings/ubuntu-archive-keyring.gpg"},
    {"ubuntu", "http://security.ubuntu.com/ubuntu", "-security", "main universe",
     "/usr/share/keyrings/ubuntu-archive-keyring.gpg"},
}};

Result<std::vector<AptSource>> known_sources(const OsRelease& wanted) {
  std::vector<AptSource> out;
  for (const KnownArchive& one : kKnown) {
    if (one.id == wanted.id) {
      AptSource source;
      source.uri = one.uri;
      source.suite = fmt::format("{}{}", wanted.codename, one.suffix);
      for (const std::string_view component : split(one.component, ' ')) {
        source.components.emplace_back(component);
      }
      source.keyrings = {std::string(one.keyring)};
      out.push_back(std::move(source));
    }
  }
  if (out.empty()) {
    return fail(ErrorKind::kUnsupported, "no archive of packages is known for '{}'",
                printable(wanted.id))
        .with_hint("name its sources with --apt-sources");
  }
  return out;
}

bool has_paragraphs(std::string_view text) {
  return std::ranges::any_of(split_lines(text),
                             [](std::string_view line) { return line.starts_with("Types:"); });
}

}  // namespace

Result<std::vector<AptSource>> parse_apt_sources(std::string_view text, const std::string& file,
                                                 Diagnostics& diagnostics) {
  if (text.size() > kMaxFileBytes) {
    return fail(ErrorKind::kInvalid, "{} is too large", file);
  }
  std::vector<AptSource> out;
  Expansion expansion(out, diagnostics);
  TRY(file.ends_with(".sources") || has_paragraphs(text) ? read_paragraphs(text, file, expansion)
                                                         : read_lines(text, file, expansion));
  return out;
}

namespace {

// apt_preferences(5) would choose other versions than we do.
void warn_of_pins(FileSource& files, const std::string& directory, Diagnostics& diagnostics) {
  std::vector<std::string> paths = {directory + "/preferences"};
  if (const auto more = files.list(directory + "/preferences.d")) {
    for (const FileEntry& entry : *more) {
      paths.push_back(directory + "/preferences.d/" + entry.name);
    }
  }
  for (const std::string& path : paths) {
    const std::string text = files.read(path, kMaxFileBytes).value_or("");
    const std::vector<std::string_view> lines = split_lines(text);
    const auto pin = std::ranges::find_if(
        lines, [](std::string_view line) { return to_lower(line).starts_with("pin:"); });
    if (pin != lines.end()) {
      diagnostics.warn("apt-pins",
                       {.file = path, .line = static_cast<int>(pin - lines.begin()) + 1},
                       "apt's pins are not followed: versions are those that apt would take "
                       "without them",
                       "name versions or suites in the definition: git=1:2.39.5-1, git/bookworm");
    }
  }
}

}  // namespace

Result<std::vector<AptSource>> machine_apt_sources(FileSource& files, const std::string& directory,
                                                   Diagnostics& diagnostics) {
  std::vector<std::string> paths = {directory + "/sources.list"};
  if (const auto more = files.list(directory + "/sources.list.d")) {
    for (const FileEntry& entry : *more) {
      if (entry.name.ends_with(".list") || entry.name.ends_with(".sources")) {
        paths.push_back(directory + "/sources.list.d/" + entry.name);
      }
    }
  }
  std::vector<AptSource> out;
  for (const std::string& path : paths) {
    const auto text = files.read(path, kMaxFileBytes);
    if (!text && text.error().kind == ErrorKind::kNotFound) {
      continue;
    }
    std::vector<AptSource> some = TRY(parse_apt_sources(TRY(text), path, diagnostics));
    std::ranges::move(some, std::back_inserter(out));
  }
  warn_of_pins(files, directory, diagnostics);
  return out;
}

OsRelease parse_os_release(std::string_view text) {
  OsRelease out;
  for (const std::string_view line : split_lines(text)) {
    const std::size_t equal = line.find('=');
    if (equal == std::string_view::npos) {
      continue;
    }
    const std::string_view name = trim(line.substr(0, equal));
    std::string_view value = trim(line.substr(equal + 1));
    if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0]) {
      value = value.substr(1, value.size() - 2);
    }
    if (name == "ID") {
      out.id = value;
    } else if (name == "VERSION_CODENAME") {
      out.codename = value;
    } else if (name == "VERSION_ID") {
      out.version = value;
    }
  }
  return out;
}

Result<std::vector<AptSource>> sources_for(const OsRelease& wanted, const OsRelease& machine,
                                           const std::vector<AptSource>& machine_sources) {
  std::vector<AptSource> out;
  if (wanted.id == machine.id && !machine.codename.empty()) {
    for (const AptSource& one : machine_sources) {
      const std::string_view suite = one.suite;
      if (!suite.starts_with(machine.codename)) {
        continue;
      }
      const std::string_view pocket = suite.substr(machine.codename.size());
      const bool own = wanted.codename == machine.codename;
      if (pocket.empty() || pocket == "-updates" || pocket == "-security" ||
          (own && (pocket.starts_with('-') || pocket.starts_with('/')) && !pocket.ends_with('/'))) {
        AptSource source = one;
        source.suite = fmt::format("{}{}", wanted.codename, pocket);
        out.push_back(std::move(source));
      }
    }
  }
  const bool has_release = std::ranges::find(out, wanted.codename, &AptSource::suite) != out.end();
  return has_release ? Result<std::vector<AptSource>>(std::move(out)) : known_sources(wanted);
}

bool is_dated(std::string_view uri) {
  constexpr std::string_view kForm = "00000000T000000Z";
  return std::ranges::any_of(split(uri, '/'), [&](std::string_view part) {
    return part.size() == kForm.size() && std::ranges::equal(part, kForm, [](char c, char form) {
             return form == '0' ? c >= '0' && c <= '9' : c == form;
           });
  });
}

}  // namespace cloche::source
