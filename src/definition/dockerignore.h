// .dockerignore: which files of a build context a Dockerfile cannot see.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloche::definition {

// Patterns as moby's patternmatcher reads them: Go's filepath.Match, "**", "!" to take back, the
// last match wins, comments with '#' at a line's start, a leading slash without meaning, "." parts
// cleaned. A bounded matcher: no pattern takes more than time proportional to pattern x path.
class Dockerignore {
 public:
  static Dockerignore parse(std::string_view text);

  // Whether the path (relative, '/' between parts), or a directory above it, is left out.
  bool ignores(std::string_view path) const;

  // Whether everything below an ignored directory is ignored for sure: no "!" pattern can reach
  // into it.
  bool can_skip_directory(std::string_view directory) const;

 private:
  struct Pattern {
    std::string text;
    bool negated = false;
  };
  std::vector<Pattern> patterns_;
};

// Go's filepath.Match over whole paths, plus "**"; also what COPY's sources use (without "**").
bool glob_match(std::string_view pattern, std::string_view path);

}  // namespace cloche::definition
