// The base image of a definition, for a command that builds on it.
#pragma once

#include <stop_token>
#include <string>

#include "cli/channels.h"
#include "cli/context.h"
#include "definition/environment.h"
#include "image/environment_image.h"
#include "image/layout.h"
#include "lock/lock.h"

namespace cloche::cli {

// By its digest where the lock has one: in the workspace, else from its container registry, with
// its layers, and then under its name in the workspace. debian:SUITE is made of Debian's archive
// where no registry is in reach or the lock says that it was, and that is said; kConflict: the
// archive gives another one now than the lock has. kUnsupported: a Dockerfile or build context.
// kNotFound: the workspace has no such image, and `offline`, or the registry has none either. Else
// as RegistryClient::pull.
struct BaseRequest {
  const definition::Definition& definition;
  const lock::Lock& lock;
  const image::Layout& layout;
  bool offline = false;
};
Result<image::BaseImage> find_base(const BaseRequest& request, ChannelAccess& access,
                                   const std::stop_token& stop, Context& context);

}  // namespace cloche::cli
