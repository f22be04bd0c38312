#include "definition/ignore_file.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "core/text.h"

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxPatterns = 10'000;
constexpr std::size_t kNone = std::string_view::npos;

// The bytes of the UTF-8 character at `at`; 1 for a stray byte.
std::size_t character_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return std::min(length, text.size() - at);
}

// "[...]" at `open`: the index of its ']', or npos when it is a plain bracket.
std::size_t bracket_end(std::string_view glob, std::size_t open) {
  std::size_t at = open + 1;
  if (at < glob.size() && glob[at] == '!') {
    ++at;
  }
  if (at < glob.size() && glob[at] == ']') {
    ++at;
  }
  return glob.find(']', at);
}

// Whether the character is in the bracket expression between `open` and `close`. Characters compare
// as UTF-8 bytes, which is the order of their code points.
bool in_bracket(std::string_view inner, std::string_view character) {
  const bool negated = inner.starts_with('!');
  inner.remove_prefix(negated ? 1 : 0);
  bool found = false;
  for (std::size_t at = 0; at < inner.size();) {
    const std::string_view first = inner.substr(at, character_length(inner, at));
    at += first.size();
    if (at + 1 < inner.size() && inner[at] == '-') {
      const std::string_view last = inner.substr(at + 1, character_length(inner, at + 1));
      found = found || (first <= character && character <= last);
      at += 1 + last.size();
    } else {
      found = found || first == character;
    }
  }
  return found != negated;
}

// One step of a glob other than '*': how many bytes of each side it takes.
struct Taken {
  std::size_t glob;
  std::size_t name;
};

std::optional<Taken> take_one(std::string_view glob, std::size_t g, std::string_view name,
                              std::size_t n) {
  if (g >= glob.size() || n >= name.size()) {
    return std::nullopt;
  }
  const std::size_t width = character_length(name, n);
  if (glob[g] == '?') {
    return Taken{1, width};
  }
  if (glob[g] == '[') {
    const std::size_t close = bracket_end(glob, g);
    if (close != kNone) {
      return in_bracket(glob.substr(g + 1, close - g - 1), name.substr(n, width))
                 ? std::optional(Taken{close + 1 - g, width})
                 : std::nullopt;
    }
  }
  const std::size_t escaped = glob[g] == '\\' && g + 1 < glob.size() ? 1 : 0;
  return glob[g + escaped] == name[n] ? std::optional(Taken{escaped + 1, 1}) : std::nullopt;
}

// One part of a path against one part of a pattern: the usual walk that returns to the last '*'.
bool glob_part(std::string_view glob, std::string_view name) {
  std::size_t g = 0;
  std::size_t n = 0;
  std::size_t star = kNone;
  std::size_t star_name = 0;
  while (n < name.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = ++g;
      star_name = n;
    } else if (const auto taken = take_one(glob, g, name, n)) {
      g += taken->glob;
      n += taken->name;
    } else if (star != kNone) {
      g = star;
      star_name += character_length(name, star_name);
      n = star_name;
    } else {
      return false;
    }
  }
  return std::ranges::all_of(glob.substr(g), [](char c) { return c == '*'; });
}

// Runs of "**" made one.
std::vector<std::string_view> pattern_parts(std::string_view pattern) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(pattern, '/')) {
    if (part != "**" || parts.empty() || parts.back() != "**") {
      parts.push_back(part);
    }
  }
  return parts;
}

bool ends_in_escape(std::string_view part) {
  std::size_t count = 0;
  while (count < part.size() && part[part.size() - 1 - count] == '\\') {
    ++count;
  }
  return count % 2 == 1;
}

}  // namespace

Result<IgnoreFile> IgnoreFile::parse(std::string_view text, const std::string& file) {
  IgnoreFile out;
  int number = 0;
  for (const std::string_view raw : split_lines(text)) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty() || line.front() == '#' || line == "/") {
      continue;
    }
    auto pattern = compile(line);
    if (pattern.has_value() && out.patterns_.size() == kMaxPatterns) {
      pattern = fail(ErrorKind::kInvalid, "more than {} patterns", kMaxPatterns);
    }
    if (!pattern.has_value()) {
      return std::move(pattern).error().with_location({file, number, 1}, std::string(raw));
    }
    out.patterns_.push_back(std::move(*pattern));
  }
  return out;
}

Result<IgnoreFile::Pattern> IgnoreFile::compile(std::string_view line) {
  Pattern out;
  out.negated = line.starts_with('!');
  std::vector<std::string_view> parts = pattern_parts(line.substr(out.negated ? 1 : 0));
  const Step any{Step::Kind::kAny, {}};
  const Step one{Step::Kind::kOne, {}};
  if (parts.size() == 2 && parts[0] == "**" && parts[1].empty()) {
    out.steps = {one, one, any};  // "**/": everything below a directory
    return out;
  }
  if (parts.front().empty()) {
    parts.erase(parts.begin());  // a leading slash: from the root
  } else if ((parts.size() == 1 || (parts.size() == 2 && parts[1].empty())) &&
             parts.front() != "**") {
    out.steps.push_back(any);  // a single name: in any directory
  }
  if (parts.empty()) {
    return fail(ErrorKind::kInvalid, "a pattern without a name");
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    const bool below = last && parts.size() > 1 && parts[i].empty();  // "dir/" is "dir/**"
    if (parts[i] == "**" || below) {
      if (last) {
        out.steps.push_back(one);
      }
      out.steps.push_back(any);
      continue;
    }
    if (ends_in_escape(parts[i])) {
      return fail(ErrorKind::kInvalid, "a backslash with nothing behind it");
    }
    out.steps.push_back({Step::Kind::kGlob, std::string(parts[i])});
    if (last) {
      out.steps.push_back(any);  // a file, or a directory with all in it
    }
  }
  return out;
}

bool IgnoreFile::matches(const Pattern& pattern, const std::vector<std::string_view>& parts) {
  std::size_t step = 0;
  std::size_t part = 0;
  std::size_t any = kNone;
  std::size_t any_part = 0;
  const auto& steps = pattern.steps;
  while (part < parts.size()) {
    if (step < steps.size() && steps[step].kind == Step::Kind::kAny) {
      any = ++step;
      any_part = part;
    } else if (step < steps.size() &&
               (steps[step].kind == Step::Kind::kOne || glob_part(steps[step].glob, parts[part]))) {
      ++step;
      ++part;
    } else if (any != kNone) {
      step = any;
      part = ++any_part;
    } else {
      return false;
    }
  }
  return std::all_of(steps.begin() + static_cast<std::ptrdiff_t>(step), steps.end(),
                     [](const Step& left) { return left.kind == Step::Kind::kAny; });
}

bool IgnoreFile::ignores(std::string_view path) const {
  const std::vector<std::string_view> parts = split(path, '/');
  bool ignored = false;
  for (const Pattern& pattern : patterns_) {
    if (ignored == pattern.negated && matches(pattern, parts)) {
      ignored = !pattern.negated;
    }
  }
  return ignored;
}

}  // namespace cloche::definition
