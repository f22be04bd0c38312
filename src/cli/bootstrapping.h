// Base images made of Debian's archive, for the commands that need one.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "build/bootstrap.h"
#include "cli/channels.h"
#include "cli/context.h"
#include "image/layout.h"

namespace cloche::cli {

struct BootstrapWish {
  std::string suite;  // "bookworm"
  build::BootstrapVariant variant = build::BootstrapVariant::kMinimal;
  std::vector<std::string> include = {};
  std::string platform = "linux-64";
  std::string mirror = {};   // "": as this machine's apt has it, else Debian's own
  std::string sources = {};  // a file as apt reads them, in place of both
  std::string compression = "zstd";
  bool refresh = false;
  bool offline = false;
};

// Makes it and gives it the name in the workspace. As build::bootstrap.
Result<build::Bootstrapped> bootstrap_image(const BootstrapWish& wish, const std::string& name,
                                            const image::Layout& layout, ChannelAccess& access,
                                            const std::stop_token& stop, Context& context);

}  // namespace cloche::cli
