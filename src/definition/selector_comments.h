// The "# [linux]" comments of an environment.yml, which YAML parsers drop (CEP 24, "Comment-based
// selectors").
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/diagnostic.h"

namespace cloche::definition {

// The lines of a text by YAML's own line breaks (CR, LF, NEL, LS and PS), so that line numbers of
// YAML nodes fit. `text` must outlive it.
class SelectorComments {
 public:
  explicit SelectorComments(std::string_view text);

  // The canonical selector in the comment of a line (1-based); "" when there is none. A comment
  // counts when a '#' in it is followed by a valid expression in brackets; other brackets are just
  // text, but a misspelt platform ("# [linxu]") is a warning.
  std::string of_line(const Location& at, Diagnostics& diagnostics);

 private:
  std::vector<std::string_view> lines_;
  std::map<int, std::string> known_;  // a line of a flow list is asked for once for each item
};

}  // namespace cloche::definition
