// conda's MatchSpec: which packages a dependency accepts (CEP 29; conda:
// conda/models/match_spec.py).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::conda {

// The parts of a spec, as texts in canonical form; "" where the spec says nothing. Version
// constraints are checked for their grammar here; comparing versions is version.h's.
struct MatchSpec {
  std::string channel;  // "conda-forge", a URL
  std::string subdir;   // "linux-64"
  std::string name_space;
  std::string name;     // lower case; may hold a glob "*"
  std::string version;  // ">=1.2,<2|3.*", "1.2.*", "==1.2"
  std::string build;    // "py39*", "^regex$"
  std::string url;      // a bare URL or path to an artifact
  // What stands in [brackets] beyond the above: build_number, md5, sha256, fn, license,
  // track_features, when, ...
  std::map<std::string, std::string> brackets;

  // Whether the version names exactly one version ("==1.2", "=1.2=build"): "pinned" for lint.
  // "1.2.*" is not exact but pinned enough for Azure: see pinned().
  bool exact() const;
  // Any version constraint that is more than a lower bound: 1.2, 1.2.*, ~=1.2, >=1,<2.
  bool pinned() const;

  // A spec that parses to this one again.
  std::string to_string() const;

  bool operator==(const MatchSpec&) const = default;
};

// kInvalid with the reason and, where it can be known, what was meant ("numpy=>1.2": did you mean
// numpy>=1.2?).
Result<MatchSpec> parse_match_spec(std::string_view text);

}  // namespace cloche::conda
