#include "definition/dockerignore.h"

#include <algorithm>
#include <utility>

#include "core/files.h"
#include "core/text.h"

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxPatterns = 10'000;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Go's filepath.Clean, without the leading slash.
std::string clean(std::string_view pattern) {
  std::string out = normal_path(pattern);
  if (out.size() > 1 && out.starts_with('/')) {
    out.erase(0, 1);
  }
  return out;
}

}  // namespace

Result<Dockerignore> Dockerignore::parse(std::string_view text, const std::string& file) {
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  Dockerignore out;
  int number = 0;
  for (const std::string_view line : split_lines(text)) {
    const Location at{file, ++number, 1};
    std::string_view pattern = trim(line);
    if (line.starts_with('#') || pattern.empty()) {
      continue;
    }
    const bool negated = pattern.starts_with('!');
    pattern = negated ? trim(pattern.substr(1)) : pattern;
    if (pattern.empty()) {
      return fail(ErrorKind::kInvalid, "a ! without a pattern")
          .with_location(at, std::string(line))
          .with_hint("write the pattern behind it: !README.md");
    }
    if (out.patterns_.size() == kMaxPatterns) {
      return fail(ErrorKind::kInvalid, "over {} patterns", kMaxPatterns).with_location(at);
    }
    auto glob = Glob::compile(clean(pattern));
    if (!glob.has_value()) {
      return std::move(glob).error().with_location(at, std::string(line));
    }
    out.patterns_.push_back({.glob = *std::move(glob), .negated = negated});
  }
  return out;
}

bool Dockerignore::ignores(std::string_view path) const {
  bool ignored = false;
  for (const Pattern& pattern : patterns_) {
    // A pattern that would not change the answer is not asked.
    if (pattern.negated == ignored && pattern.glob.matches_path_or_parent(path)) {
      ignored = !pattern.negated;
    }
  }
  return ignored;
}

bool Dockerignore::can_skip_directory(std::string_view directory) const {
  return ignores(directory) && std::ranges::none_of(patterns_, [&](const Pattern& pattern) {
           return pattern.negated && pattern.glob.reaches_below(directory);
         });
}

}  // namespace cloche::definition
