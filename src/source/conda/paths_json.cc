// info/paths.json and the older lists that it took the place of.
#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <simdjson.h>

#include "core/text.h"
#include "source/conda/package_metadata.h"

namespace cloche::source {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::int64_t kPathsVersion = 1;
constexpr std::size_t kMaxPaths = 1'000'000;
constexpr std::size_t kMaxPlaceholderBytes = 4096;
constexpr std::string_view kDefaultPlaceholder = "/opt/anaconda1anaconda2anaconda3";

Error wrong(const std::string& file, std::string_view what) {
  return fail(ErrorKind::kInvalid, "{}: {}", file, what);
}

// simdjson's own is_null() throws where the text is broken.
bool is_null(ondemand::value value) {
  bool null = false;
  return value.is_null().get(null) == simdjson::SUCCESS && null;
}

// A string, or nothing when it is null.
Result<std::optional<std::string_view>> text_of(ondemand::value value, const std::string& file,
                                                std::string_view key) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    return std::optional(text);
  }
  if (is_null(value)) {
    return std::optional<std::string_view>();
  }
  return fail(ErrorKind::kInvalid, "{}: {} is no text", file, key);
}

Result<std::string> sha256_of(std::string_view text, const std::string& file) {
  std::string hex = to_lower(text);
  const bool good = hex.size() == 64 && std::ranges::all_of(hex, [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                    });
  if (!hex.empty() && !good) {
    return wrong(file, "a sha256 is 64 hex digits");
  }
  return hex;
}

Status check_placeholder(std::string_view text, const std::string& file) {
  if (text.size() > kMaxPlaceholderBytes || text.find('\0') != std::string_view::npos) {
    return wrong(file, "a prefix_placeholder is too long or holds a NUL");
  }
  return {};
}

Result<FileMode> file_mode_of(std::string_view text, const std::string& file) {
  if (text == "text" || text == "binary") {
    return text == "text" ? FileMode::kText : FileMode::kBinary;
  }
  return fail(ErrorKind::kInvalid, "{}: the file mode '{}' is neither text nor binary", file,
              printable(text.substr(0, 100)));
}

Result<PathType> path_type_of(std::string_view text, const std::string& file) {
  constexpr std::array kTypes = {std::pair(std::string_view("hardlink"), PathType::kHardlink),
                                 std::pair(std::string_view("softlink"), PathType::kSoftlink),
                                 std::pair(std::string_view("directory"), PathType::kDirectory)};
  const auto* const row =
      std::ranges::find(kTypes, text, &std::pair<std::string_view, PathType>::first);
  if (row == kTypes.end()) {
    return fail(ErrorKind::kInvalid, "{}: the path type '{}' is not known", file,
                printable(text.substr(0, 100)));
  }
  return row->second;
}

// One member of a path entry. What is not known is left out, as conda does.
Status read_member(std::string_view key, ondemand::value value, const std::string& file,
                   PathEntry& entry) {
  if (key == "no_link") {
    bool flag = false;
    entry.no_link = value.get_bool().get(flag) == simdjson::SUCCESS && flag;
    return {};
  }
  if (key == "size_in_bytes") {
    std::uint64_t size = 0;
    if (value.get_uint64().get(size) == simdjson::SUCCESS) {
      entry.size_bytes = size;
    } else if (!is_null(value)) {
      return wrong(file, "a size_in_bytes is no size");
    }
    return {};
  }
  if (key != "_path" && key != "path_type" && key != "file_mode" && key != "prefix_placeholder" &&
      key != "sha256") {
    return {};
  }
  const std::optional<std::string_view> text = TRY(text_of(value, file, key));
  if (!text) {
    return {};
  }
  if (key == "_path") {
    entry.path = TRY(package_path(*text).context("in {}", file));
  } else if (key == "path_type") {
    entry.type = TRY(path_type_of(*text, file));
  } else if (key == "file_mode") {
    entry.file_mode = TRY(file_mode_of(*text, file));
  } else if (key == "prefix_placeholder") {
    TRY(check_placeholder(*text, file));
    entry.placeholder = *text;
  } else {
    entry.sha256 = TRY(sha256_of(*text, file));
  }
  return {};
}

Error broken(const std::string& file, simdjson::error_code code) {
  return fail(ErrorKind::kInvalid, "{}: {}", file, simdjson::error_message(code));
}

Result<PathEntry> read_entry(ondemand::value value, const std::string& file) {
  ondemand::object object;
  if (const auto code = value.get_object().get(object); code != simdjson::SUCCESS) {
    return broken(file, code);
  }
  PathEntry entry;
  for (auto member : object) {
    ondemand::field field;
    std::string_view key;
    if (auto code = std::move(member).get(field); code != simdjson::SUCCESS) {
      return broken(file, code);
    }
    if (const auto code = field.unescaped_key().get(key); code != simdjson::SUCCESS) {
      return broken(file, code);
    }
    TRY(read_member(key, field.value(), file, entry));
  }
  if (entry.path.empty()) {
    return wrong(file, "an entry has no _path");
  }
  return entry;
}

Result<std::vector<PathEntry>> read_paths(ondemand::value value, const std::string& file) {
  ondemand::array array;
  if (const auto code = value.get_array().get(array); code != simdjson::SUCCESS) {
    return broken(file, code);
  }
  std::vector<PathEntry> paths;
  for (auto element : array) {
    ondemand::value one;
    if (auto code = std::move(element).get(one); code != simdjson::SUCCESS) {
      return broken(file, code);
    }
    if (paths.size() == kMaxPaths) {
      return fail(ErrorKind::kInvalid, "{}: more than {} paths", file, kMaxPaths);
    }
    paths.push_back(TRY(read_entry(one, file)));
  }
  return paths;
}

// Lines without blanks at their ends; empty ones and comments are none.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (const std::string_view line : split_lines(text)) {
    const std::string_view content = trim(line);
    if (!content.empty() && !content.starts_with('#')) {
      lines.push_back(content);
    }
  }
  return lines;
}

// Words as Python's shlex.split(posix=False) finds them: one that begins with a quote goes on to
// the next such quote. Quotes at the ends are taken off. Nothing when a quote is not closed.
std::optional<std::vector<std::string_view>> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (line = trim(line); !line.empty(); line = trim_left(line)) {
    std::size_t size = 0;
    if (line[0] == '"' || line[0] == '\'') {
      const std::size_t close = line.find(line[0], 1);
      if (close == std::string_view::npos) {
        return std::nullopt;
      }
      size = close + 1;
    } else {
      while (size < line.size() && !is_blank(line[size])) {
        ++size;
      }
    }
    std::string_view word = line.substr(0, size);
    line.remove_prefix(size);
    while (!word.empty() && (word.front() == '"' || word.front() == '\'')) {
      word.remove_prefix(1);
    }
    while (!word.empty() && (word.back() == '"' || word.back() == '\'')) {
      word.remove_suffix(1);
    }
    words.push_back(word);
  }
  return words;
}

struct Placeholder {
  std::string_view text;
  FileMode mode = FileMode::kText;
};

// "PATH", a text with the default placeholder, or "PLACEHOLDER MODE PATH".
Result<std::unordered_map<std::string, Placeholder>> read_has_prefix(std::string_view text) {
  const std::string file = "info/has_prefix";
  std::unordered_map<std::string, Placeholder> found;
  for (const std::string_view line : lines_of(text)) {
    const std::optional<std::vector<std::string_view>> words = words_of(line);
    if (!words || (words->size() != 1 && words->size() != 3)) {
      return fail(ErrorKind::kInvalid,
                  "{}: the line '{}' is neither a path nor 'placeholder mode path'", file,
                  printable(line.substr(0, 200)));
    }
    Placeholder placeholder{kDefaultPlaceholder, FileMode::kText};
    if (words->size() == 3) {
      TRY(check_placeholder(words->front(), file));
      placeholder = {words->front(), TRY(file_mode_of((*words)[1], file))};
    }
    found[TRY(package_path(words->back()).context("in {}", file))] = placeholder;
  }
  return found;
}

}  // namespace

Result<std::vector<PathEntry>> parse_paths_json(std::string_view text, const std::string& file) {
  const simdjson::padded_string padded(text);
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object root;
  if (const auto code = parser.iterate(padded).get(document); code != simdjson::SUCCESS) {
    return broken(file, code);
  }
  if (const auto code = document.get_object().get(root); code != simdjson::SUCCESS) {
    return broken(file, code);
  }
  std::int64_t version = 0;
  std::optional<std::vector<PathEntry>> paths;
  for (auto member : root) {
    ondemand::field field;
    std::string_view key;
    if (auto code = std::move(member).get(field); code != simdjson::SUCCESS) {
      return broken(file, code);
    }
    if (const auto code = field.unescaped_key().get(key); code != simdjson::SUCCESS) {
      return broken(file, code);
    }
    if (key == "paths_version") {
      if (const auto code = field.value().get_int64().get(version); code != simdjson::SUCCESS) {
        return broken(file, code);
      }
    } else if (key == "paths") {
      paths = TRY(read_paths(field.value(), file));
    }
  }
  if (version != kPathsVersion) {
    return fail(ErrorKind::kUnsupported, "{}: paths_version is {}; {} is read", file, version,
                kPathsVersion);
  }
  if (!paths) {
    return wrong(file, "there are no paths");
  }
  return std::move(*paths);
}

Result<std::vector<PathEntry>> parse_path_lists(std::string_view files, std::string_view has_prefix,
                                                std::string_view no_link) {
  const auto placeholders = TRY(read_has_prefix(has_prefix));
  std::unordered_set<std::string> copied;
  for (const std::string_view line : lines_of(no_link)) {
    copied.insert(TRY(package_path(line).context("in info/no_link")));
  }
  std::vector<PathEntry> paths;
  for (const std::string_view line : lines_of(files)) {
    if (paths.size() == kMaxPaths) {
      return fail(ErrorKind::kInvalid, "info/files: more than {} paths", kMaxPaths);
    }
    PathEntry entry;
    entry.path = TRY(package_path(line).context("in info/files"));
    entry.type = PathType::kUnspecified;
    entry.no_link = copied.contains(entry.path);
    if (const auto found = placeholders.find(entry.path); found != placeholders.end()) {
      entry.placeholder = found->second.text;
      entry.file_mode = found->second.mode;
    }
    paths.push_back(std::move(entry));
  }
  return paths;
}

}  // namespace cloche::source
