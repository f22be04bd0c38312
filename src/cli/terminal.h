// Where a command's output goes. Data to out(), everything else to err().
#pragma once

#include <string>
#include <string_view>

#include "cli/report.h"
#include "core/result.h"

namespace cloche::cli {

class Terminal {
 public:
  virtual ~Terminal() = default;

  // kCancelled: the reader has gone (a closed pipe); kUnavailable: the disk behind it is full.
  virtual Status out(std::string_view text) = 0;
  virtual void err(std::string_view text) = 0;  // what cannot be written is lost

  virtual Style out_style() const = 0;
  virtual Style err_style() const = 0;
};

// Standard output and error of this process. Colour only where a terminal reads it, and neither
// NO_COLOR (no-color.org) nor TERM=dumb is set.
class SystemTerminal : public Terminal {
 public:
  Status out(std::string_view text) override;
  void err(std::string_view text) override;
  Style out_style() const override;
  Style err_style() const override;
};

// The text with an SGR attribute ("1" bold, "31" red) where the style has colour.
std::string colored(std::string_view text, std::string_view attribute, const Style& style);

}  // namespace cloche::cli
