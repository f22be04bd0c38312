// Where rules put what they find.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "definition/lint/lint.h"
#include "definition/lint/source_file.h"

namespace cloche::definition {

// Fills in what every finding has (rule, severity, place, excerpt) and keeps secrets out of it.
// One rule at a time; hostile files cannot make it grow without bound.
class Report {
 public:
  explicit Report(Sources& sources) : sources_(sources) {}

  // What follows is found by this rule, in this file.
  void begin(const RuleInfo& rule, const std::string& file);

  // A finding at a byte of the file, or at a place. The reference is good until the next call.
  Finding& add(std::size_t offset, std::string message, std::string hint = "");
  Finding& add(const Location& at, std::string message, std::string hint = "");

  // A diagnostic that a parser or validate() made.
  Finding& add(const Diagnostic& diagnostic);

  // Adds to the finding's fix: replace [begin, end) of its file.
  void replace(Finding& finding, std::size_t begin, std::size_t end, std::string text) const;
  void insert(Finding& finding, std::size_t at, std::string text) const {
    replace(finding, at, at, std::move(text));
  }

  Sources& sources() { return sources_; }
  const SourceFile& file() { return sources_.get(file_); }

  // Everything found, in order of place.
  std::vector<Finding> take();

 private:
  Finding& keep(Finding finding);

  Sources& sources_;
  RuleInfo rule_;
  std::string file_;
  std::vector<Finding> findings_;
  std::map<std::string, std::size_t, std::less<>> counts_;  // per rule
  Finding dropped_;
};

}  // namespace cloche::definition
