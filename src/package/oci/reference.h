// A reference to an image: [registry[:port]/]repository[:tag][@digest].
// Grammar: github.com/distribution/reference, reference.go, top comment.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::oci {

struct Reference {
  std::string registry;    // "docker.io" when none is written, as docker fills it in
  std::string repository;  // "library/python" when docker.io and one part
  std::string tag;         // "" when none is written
  std::string digest;      // "sha256:<64 hex>"; "" when none

  bool pinned() const { return !digest.empty(); }

  // In full: "docker.io/library/python:3.11-slim".
  std::string to_string() const;
  bool operator==(const Reference&) const = default;
};

// kInvalid with the reason and a hint (upper case in a repository, a digest of the wrong length,
// "https://" in front).
Result<Reference> parse_reference(std::string_view text);

}  // namespace cloche::oci
