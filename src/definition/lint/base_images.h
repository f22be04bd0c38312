// What can be told of a base image without pulling it: from its name alone.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "definition/lint/cuda.h"
#include "package/oci/reference.h"

namespace cloche::definition {

// Everything that is not sure is empty: rules are silent about what they cannot know.
struct BaseImage {
  std::string text;          // the reference, variables filled in
  oci::Reference reference;  // empty when the text is no reference
  bool scratch = false;
  std::string repository;  // "library/python", "nvidia/cuda": without the registry
  std::string system;      // "debian buster", "ubuntu 18.04"
  std::string python;      // "3.8"
  std::optional<CudaVersion> cuda;
  std::optional<bool> has_python;
  std::optional<bool> has_conda;
  std::optional<bool> root;  // whether it runs as root when nothing says otherwise

  bool known() const { return !reference.repository.empty(); }
};

// `text` is a reference; "" or one with a variable or a template in it gives an image of which
// nothing is known.
BaseImage describe_image(std::string_view text);

// When a product's makers stop mending it.
struct EndOfLife {
  std::string_view product;  // "python 3.8", "debian buster", "ubuntu 18.04"
  std::string_view date;     // "2024-10-07"
  std::string_view source;   // where that is written
};

// The entry of a product that has come to its end; nullptr for all others.
const EndOfLife* end_of_life(std::string_view product);

// NVIDIA's reason and date when the tag of nvidia/cuda is one that was deleted; "" otherwise.
std::string_view withdrawn_cuda_tag(std::string_view tag);

}  // namespace cloche::definition
