// The keys of job files: which are read, which mean something in Azure only, and what people write
// by mistake. For the readers of command jobs.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/diagnostic.h"
#include "core/result.h"
#include "core/yaml.h"

namespace cloche::definition {

// A key that is not read here.
struct ForeignKey {
  enum class Meaning {
    kIgnored,  // the job runs all the same: a warning
    kRefused,  // the job would be another one without it: an error
  };
  std::string_view name;
  Meaning meaning;
  std::string_view why;  // completes "'services' ..."
  std::string_view hint = {};
};

// Looks at a key that is none of `known`. kUnsupported: refused; kInvalid: unknown, with the
// nearest of `known` in the hint. `place` says where ("resources"), "" for the top.
Status judge_key(const YamlNode& key, std::span<const std::string_view> known,
                 std::span<const ForeignKey> foreign, std::string_view place,
                 Diagnostics& diagnostics);

// judge_key() for each member of a mapping that is none of `known`.
Status judge_members(const YamlNode& mapping, std::span<const std::string_view> known,
                     std::span<const ForeignKey> foreign, std::string_view place,
                     Diagnostics& diagnostics);

}  // namespace cloche::definition
