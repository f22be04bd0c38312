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
// and also environment variables, inference configuration, operating system, every context file.
bool same_definition(const Definition& a, const Definition& b);

// Which inputs differ, for `env explain`: "base image", "conda package 3", ... with both values (""
// = absent).
struct InputDifference {
  std::string input;
  std::string before;
  std::string after;
};
std::vector<InputDifference> explain_difference(const Definition& before, const Definition& after);

}  // namespace cloche::definition
