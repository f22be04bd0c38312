// conda's MatchSpec: which packages a dependency accepts (CEP 29; conda:
// conda/models/match_spec.py). docs/formats/match-spec.md specifies what is read how.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::conda {

// The parts of a spec, as texts in canonical form; "" where the spec says nothing. The version is
// the canonical text of a VersionSpec (version_spec.h), which whoever matches parses from it.
struct MatchSpec {
  std::string channel;     // "conda-forge", a URL without its final slash
  std::string subdir;      // "linux-64"
  std::string name_space;  // parsed and ignored (CEP 29)
  std::string name;        // lower case; may be a glob "py*" or "^regex$"; "*" when there is none
  std::string version;     // ">=1.2,<2|3.*", "1.2.*", "==1.2"
  std::string build;       // "py39*", "^regex$"
  std::string url;         // a bare URL or path to an artifact, or [url=...]
  // What stands in [brackets] beyond the above: build_number, md5, sha256, fn, license,
  // track_features, when, ...
  std::map<std::string, std::string> brackets;

  // Whether one version is named ("==1.2", "=1.2=build"), or one artifact (URL, md5, sha256):
  // "pinned" for lint. "1.2.*" is not exact but pinned enough for Azure: see pinned().
  bool exact() const;
  // Any version constraint that is more than a lower bound: 1.2, 1.2.*, ~=1.2, >=1,<2.
  bool pinned() const;

  // A spec that parses to this one again.
  std::string to_string() const;

  bool operator==(const MatchSpec&) const = default;
};

// kInvalid with the reason, the column (line 1) and, where it can be known, what was meant
// ("numpy=>1.2": did you mean numpy>=1.2?).
Result<MatchSpec> parse_match_spec(std::string_view text);

// The text without a trailing "# comment" (a '#' within quotes starts none), blanks at its ends
// gone.
std::string_view without_spec_comment(std::string_view text);

}  // namespace cloche::conda
