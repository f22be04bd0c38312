// Comments that silence rules: `# cloche: ignore=RULE[,RULE]`.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "definition/lint/source_file.h"

namespace cloche::definition {

class IgnoreComments {
 public:
  explicit IgnoreComments(const SourceFile& file);

  // Whether the rule is silenced on this line: on the line itself, or on comment lines right above.
  bool silences(int line, std::string_view rule) const;

  struct Entry {
    int line = 0;
    int column = 0;  // of the rule's name
    std::string rule;
  };
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  bool names(int line, std::string_view rule) const;

  const SourceFile* file_;
  std::vector<Entry> entries_;
  std::multimap<int, std::string> by_line_;
};

}  // namespace cloche::definition
