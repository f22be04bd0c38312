// The options that pip takes in a requirements file (pip: req/req_file.py, SUPPORTED_OPTIONS), and
// how it divides a line into words (shlex) and options (optparse).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::definition {

// In the order in which pip applies the options of one line, whatever their order there.
enum class PipOption {
  kRequirement,  // -r
  kConstraint,   // -c
  kEditable,     // -e
  kNoBinary,
  kOnlyBinary,
  kUseFeature,
  kRequireHashes,
  kNoIndex,
  kIndexUrl,
  kExtraIndexUrl,
  kFindLinks,
  kPre,
  kPreferBinary,
  kTrustedHost,
  kHash,  // from here on: options of one requirement
  kConfigSettings,
  kGlobalOption,
};

inline bool belongs_to_requirement(PipOption option) { return option >= PipOption::kHash; }

struct PipOptionUse {
  PipOption option = PipOption::kPre;
  std::string value;   // "" for a flag
  std::size_t at = 0;  // the option's byte in the line
  std::size_t value_at = 0;
};

struct PipOptions {
  std::vector<PipOptionUse> uses;  // as written
  bool stray = false;              // words that belong to no option: pip ignores them
  std::size_t stray_at = 0;
};

// Reads the options that stand from byte `begin` of the line on. Errors have the column in line 1.
// kInvalid: an unknown option (hint: the nearest), a missing or unwanted value, an open quote.
Result<PipOptions> parse_pip_options(std::string_view line, std::size_t begin);

// "--index-url".
std::string_view option_name(PipOption option);

// "--index-url=https://..." or "--pre": reads back to the same option and value. The value is
// quoted where a shell's reader would divide or change it.
std::string canonical_option(PipOption option, std::string_view value);

}  // namespace cloche::definition
