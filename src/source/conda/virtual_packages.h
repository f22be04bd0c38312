// The virtual packages of a target (CEP 30, CEP 46). What an image is made for decides them, never
// the machine that makes it.
#pragma once

#include <string>
#include <vector>

#include "core/diagnostic.h"
#include "core/result.h"
#include "package/conda/virtual_package.h"
#include "source/conda/surroundings.h"

namespace cloche::source {

// What is known of where an environment will run. The defaults are those of a container on a
// machine without a GPU; docs/formats/channels.md, "Virtual packages", gives the reasons.
struct Target {
  std::string platform = "linux-64";  // conda's subdir

  // "": the default. glibc is read from the base image where it is known.
  std::string glibc;         // "2.35", what Ubuntu 22.04 has
  std::string linux_kernel;  // "4.18", the oldest that hosts are likely to run
  std::string osx;           // "0", as CEP 30 has it
  std::string windows;       // "10.0.17763"
  std::string archspec;      // "x86_64", "aarch64": what every CPU of the platform has

  // "": there is none, and no __cuda, __cuda_arch.
  std::string cuda;       // the newest CUDA that the driver supports, "12.6"
  std::string cuda_arch;  // the lowest compute capability of the devices, "8.0"
};

// In the order of names. CONDA_OVERRIDE_* of the environment are honoured by each package's own
// rule; one that has no effect is told in `diagnostics`. kInvalid: a platform that is none, a
// version that is none, with the variable's or the setting's name.
Result<std::vector<conda::VirtualPackage>> virtual_packages(const Target& target,
                                                            const Surroundings& surroundings,
                                                            Diagnostics& diagnostics);

}  // namespace cloche::source
