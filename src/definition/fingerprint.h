// What identifies a definition. docs/formats/fingerprint.md specifies both forms byte by byte.
#pragma once

#include <string>
#include <string_view>

#include "definition/environment.h"

namespace cloche::definition {

// sha256 over the canonical JSON of what decides the image, as 32 hex digits: base image, docker
// steps and the context files they copy, conda channels and packages, pip lines, apt packages, each
// in order, and nothing else.
std::string fingerprint(const Definition& definition);

// The JSON that is hashed, for `env explain` and for whoever wants to check the figure.
Json fingerprint_input(const Definition& definition);

// "cloche/cloche_<32 hex>": the repository of the image.
std::string image_name(std::string_view fingerprint);

// Whether two definitions say the same in everything that a version keeps: the fingerprint's inputs
// and also environment variables, inference configuration, operating system, the Dockerfile's path
// and every context file (a Dockerfile that is not copied counts by its instructions only).
bool same_definition(const Definition& a, const Definition& b);

// Which inputs differ, for `env explain`: "base image", "docker step 2", "context file src/a.py",
// "conda package 3", ... with both values ("" = absent); numbers count from 1 in the new
// definition, in the old one for what was removed. "place of conda package numpy" has the old and
// new number. Passwords in URLs are hidden. Empty exactly where the fingerprints are equal.
struct InputDifference {
  std::string input;
  std::string before;
  std::string after;
};
std::vector<InputDifference> explain_difference(const Definition& before, const Definition& after);

}  // namespace cloche::definition
