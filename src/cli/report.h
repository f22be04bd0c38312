// What a command has to say: one JSON record, and how a person wants to read it.
#pragma once

#include <string>

#include "core/json.h"

namespace cloche::cli {

// How text for people is laid out.
struct Style {
  bool color = false;
  int width = 0;  // columns of the terminal; 0: not a terminal, nothing is cut
};

// `text` makes the table form out of `data` alone, so the JSON form never holds less.
struct Report {
  Json data;
  std::string (*text)(const Json& data, const Style& style) = nullptr;
  bool silent = false;  // nothing is printed: what there was to say has been said
  int exit_code = 0;  // 1: the command did its work, and its answer is "no" (findings, differences)
};

}  // namespace cloche::cli
