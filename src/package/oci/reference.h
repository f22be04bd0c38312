// A reference to an image: [registry[:port]/]repository[:tag][@digest].
// Grammar: github.com/distribution/reference, reference.go, top comment; how the parts that are not
// written are filled in: normalize.go, as docker does it. docs/formats/image-reference.md.
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

  // In full: "docker.io/library/python:3.11-slim". Parses to this reference again.
  std::string to_string() const;

  // As docker shows it: "python:3.11-slim". Parses to this reference again.
  std::string familiar() const;

  bool operator==(const Reference&) const = default;
};

// kInvalid with the reason, the column and a hint (upper case in a repository, a digest of the
// wrong length, "https://" in front); kUnsupported: a digest by another algorithm than sha256.
// Linear time; nothing longer than a kilobyte is looked at.
Result<Reference> parse_reference(std::string_view text);

}  // namespace cloche::oci
