// Rows in columns, for people.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/report.h"

namespace cloche::cli {

// Cells are made printable, so that no description can reach the terminal's controls. On a terminal
// the last column is cut to the width that is left.
class Table {
 public:
  explicit Table(std::vector<std::string> headers) : headers_(std::move(headers)) {}

  void add(std::vector<std::string> cells);  // as many as there are headers
  std::string render(const Style& style) const;

 private:
  std::vector<std::string> headers_;
  std::vector<std::vector<std::string>> rows_;
};

// "name   value" lines, values aligned; of several values each has its own line. What is empty is
// left out.
class Sheet {
 public:
  void add(std::string_view label, std::string_view value);
  void add(std::string_view label, const std::vector<std::string>& values);
  std::string render(const Style& style) const;

 private:
  std::vector<std::pair<std::string, std::string>> lines_;  // the label is "" after the first value
};

}  // namespace cloche::cli
