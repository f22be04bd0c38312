// .dockerignore: which files of a build context a Dockerfile cannot see.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "definition/glob.h"

namespace cloche::definition {

// Patterns as moby's patternmatcher reads them: Go's filepath.Match, "**", "!" to take back, the
// last match wins, comments with '#' at a line's start, a leading slash without meaning, "." parts
// cleaned. docs/formats/build-context.md has the rules. A value; calls may run in parallel.
class Dockerignore {
 public:
  // An empty one: nothing is left out.
  Dockerignore() = default;

  // kInvalid, with the line: a bad pattern, "!" alone, over 10,000 patterns.
  static Result<Dockerignore> parse(std::string_view text,
                                    const std::string& file = ".dockerignore");

  // Whether the path (relative, '/' between parts), or a directory above it, is left out.
  bool ignores(std::string_view path) const;

  // Whether everything below an ignored directory is ignored for sure: no "!" pattern can reach
  // into it.
  bool can_skip_directory(std::string_view directory) const;

 private:
  struct Pattern {
    Glob glob;
    bool negated = false;
  };
  std::vector<Pattern> patterns_;
};

}  // namespace cloche::definition
