// Builds that were made, by all that decides them: builds/<key>.json in the layout.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "build/build_request.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "image/descriptor.h"

namespace cloche::build {

// Everything that decides the image, as an object of texts; its digest is the key that builds are
// found by. The lock counts by its contents, so definitions that are written differently share an
// image.
Json build_inputs(const BuildRequest& request);

// The image of the key, where it was built and is still whole; nothing else.
Result<std::optional<image::Descriptor>> find_build(const BuildRequest& request);

// The build that has most inputs in common with this request, for saying why it is not a look-up:
// the names of the inputs that differ ("base", "contents"), with both values. Nothing where nothing
// was ever built.
struct ChangedInput {
  std::string name;
  std::string before;
  std::string now;
};
struct Relative {
  Digest manifest;
  std::vector<ChangedInput> changed;
};
Result<std::optional<Relative>> nearest_build(const BuildRequest& request);

// Writes down that the image of this key is this one.
Status remember_build(const BuildRequest& request, const Digest& key,
                      const image::Descriptor& manifest);

}  // namespace cloche::build
