// Fakes for tests of commands.
#pragma once

#include <string>
#include <string_view>

#include "cli/terminal.h"

namespace cloche::cli {

// Keeps what was written, for tests.
class MemoryTerminal : public Terminal {
 public:
  Status out(std::string_view text) override {
    out_text += text;
    return {};
  }
  void err(std::string_view text) override { err_text += text; }
  Style out_style() const override { return style; }
  Style err_style() const override { return style; }

  std::string out_text;
  std::string err_text;
  Style style;
};

}  // namespace cloche::cli
