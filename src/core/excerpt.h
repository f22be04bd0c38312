// The lines of one file, to show them beside what is said about it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/diagnostic.h"
#include "core/result.h"

namespace cloche {

// Fills in the line's text where an error or a diagnostic speaks of `file` and has none yet.
// Parsers that work on nodes know places only; who holds the text adds the lines at the end. `text`
// and `file` must outlive it.
class Excerpts {
 public:
  Excerpts(std::string_view text, std::string_view file);

  // The line (1-based) without its end; "" beyond the end.
  std::string_view line(int number) const;

  void fill(Error& error) const;

  // Appends all of `from` to `to`, lines filled in.
  void append(const Diagnostics& from, Diagnostics& to) const;

 private:
  std::string_view file_;
  std::vector<std::string_view> lines_;
};

}  // namespace cloche
