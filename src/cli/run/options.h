// The options of what runs a command in an environment, and the container that they mean.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/context.h"
#include "cli/env/locking.h"
#include "core/result.h"
#include "image/config.h"
#include "runtime/container_spec.h"

namespace cloche::cli {

struct RunOptions : LockingOptions {
  std::string subject;
  std::vector<std::string> command;
  bool shell = false;
  std::map<std::string, std::string> env;
  std::vector<std::string> mounts;
  std::string network = "default";
  std::string gpus = "none";
  std::string memory;
  std::string cpus;
  std::string pids;
  std::string shm_size;
  std::string user;
  bool read_only = false;
};

template <class Options>
inline constexpr std::array<Argument, 10> kContainerArguments = {{
    {.name = "env",
     .value = "NAME=VALUE",
     .help = "A variable for the command, over the image's",
     .field = kInheritedField<Options, &RunOptions::env>},
    {.name = "mount",
     .value = "SOURCE:TARGET[:ro]",
     .help = "Another directory or file of this machine in the container",
     .source = Source::kDirectories,
     .field = kInheritedField<Options, &RunOptions::mounts>},
    {.name = "network",
     .value = "KIND",
     .help = "host or default: this machine's network; none: a loopback interface only",
     .choices = "host|none|default",
     .field = kInheritedField<Options, &RunOptions::network>},
    {.name = "gpus",
     .value = "all|0,1|none",
     .help = "GPUs for the container: all, or some by number or as vendor.com/gpu=NAME "
             "(default: none)",
     .field = kInheritedField<Options, &RunOptions::gpus>},
    {.name = "memory",
     .value = "SIZE",
     .help = "The most memory for all processes together: 512m, 8g",
     .field = kInheritedField<Options, &RunOptions::memory>},
    {.name = "cpus",
     .value = "NUMBER",
     .help = "The most processor time: 2, 0.5",
     .field = kInheritedField<Options, &RunOptions::cpus>},
    {.name = "pids",
     .value = "NUMBER",
     .help = "The most processes and threads (default: 32768)",
     .field = kInheritedField<Options, &RunOptions::pids>},
    {.name = "shm-size",
     .value = "SIZE",
     .help = "The size of /dev/shm (default: 2g)",
     .field = kInheritedField<Options, &RunOptions::shm_size>},
    {.name = "user",
     .value = "USER[:GROUP]",
     .help = "The user in the container (default: the one whose files are yours outside)",
     .field = kInheritedField<Options, &RunOptions::user>},
    {.name = "read-only",
     .help = "Let nothing be written but to mounts, /tmp, /run and /dev/shm",
     .field = kInheritedField<Options, &RunOptions::read_only>},
}};

// The container without its layers and streams: `directory` mounted, and where the command starts.
// kUsage: an option that says nothing that can be; kInvalid: a directory that cannot be mounted
// where it is, since the image's own files lie there; kNotFound: the source of a mount.
Result<runtime::ContainerSpec> container_spec(const RunOptions& options,
                                              const std::string& directory);

// What the image says: its variables, under those of the options.
void take_image_config(const image::ImageConfig& config, runtime::ContainerSpec& spec);

}  // namespace cloche::cli
