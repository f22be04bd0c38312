// From an environment to its image: what every command does that needs one.
#pragma once

#include <stop_token>
#include <string>

#include "build/build_environment.h"
#include "cli/channels.h"
#include "cli/context.h"
#include "cli/env/locking.h"
#include "image/environment_image.h"
#include "image/layout.h"

namespace cloche::cli {

// What an image is made from: the lock, found or made, and the base, found or fetched.
struct BuildBasis {
  Locked locked;
  image::BaseImage base;
  image::Layout layout;  // the workspace's
};
// Errors as find_or_make_lock() and find_base().
Result<BuildBasis> build_basis(const Subject& subject, const LockingOptions& options,
                               ChannelAccess& access, const std::stop_token& stop,
                               Context& context);

// It refers to the subject and the basis.
build::BuildRequest build_request(const Subject& subject, const BuildBasis& basis,
                                  const LockingOptions& options);

// Gives an image the name of its definition, which is returned, and of the version that it was
// built for; but no name that is its base's.
Result<std::string> name_image(const Subject& subject, const BuildBasis& basis,
                               const image::Descriptor& manifest);

// All of it, with progress on the terminal: the image of an environment, built where it is not
// there. The layout is the workspace's.
struct EnvironmentImage {
  image::Descriptor manifest;
  std::string name;
  bool found = false;  // nothing was done
  Digest lock;
};
Result<EnvironmentImage> find_or_build_image(const Subject& subject, const LockingOptions& options,
                                             ChannelAccess& access, const std::stop_token& stop,
                                             Context& context);

}  // namespace cloche::cli
