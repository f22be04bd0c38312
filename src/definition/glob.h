// Wildcards over paths: Go's filepath.Match, which COPY uses, and "**", which .dockerignore adds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace cloche::definition {

// A compiled pattern:
//   *      any bytes but '/'            ?      one character but '/'
//   [a-z]  one of them, [^a-z] none of  \x     x itself
//   **/    any number of directories, none too; ** at the end: everything
// Matching takes time proportional to pattern x path at most. A value; calls may run in parallel.
class Glob {
 public:
  // kInvalid: what filepath.Match calls a bad pattern ("[", "[]a]", a final backslash), or a
  // pattern of over 4096 bytes.
  static Result<Glob> compile(std::string_view pattern);

  bool matches(std::string_view path) const;

  // The path itself or a directory above it.
  bool matches_path_or_parent(std::string_view path) const;

  // Whether a path below the directory could match, or the directory or one above it does. Never
  // false when one could.
  bool reaches_below(std::string_view directory) const;

 private:
  enum class Kind : std::uint8_t { kChar, kAny, kStar, kClass, kDirectories, kInside, kRest };
  struct Class {
    bool negated = false;
    std::vector<std::pair<char32_t, char32_t>> ranges;
  };
  struct Token {
    Kind kind = Kind::kChar;
    char32_t character = 0;    // kChar
    std::size_t of_class = 0;  // kClass
  };
  class Run;

  Status add_star(std::string_view pattern, std::size_t& position);
  Status add_class(std::string_view pattern, std::size_t& position);
  void add_literal(std::string_view pattern, std::size_t& position);

  std::string prefix_;   // the literal bytes that every match starts with
  bool literal_ = true;  // nothing else stands in the pattern
  std::vector<Token> tokens_;
  std::vector<Class> classes_;
};

}  // namespace cloche::definition
