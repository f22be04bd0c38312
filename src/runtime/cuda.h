// Whether the driver of this machine's GPUs is new enough for an image (docs/formats/cdi.md).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "image/config.h"
#include "image/manifest.h"
#include "runtime/cdi_spec.h"

namespace cloche::runtime {

// What an image says of the CUDA that it was made for, beyond its variables.
struct CudaNeeds {
  std::vector<std::string> packages = {};  // "pytorch-cuda 12.4": names and versions
  std::vector<std::string> specs = {};     // "__cuda >=12.4"
};
CudaNeeds cuda_needs(const image::Manifest& manifest, const image::ImageConfig& config);

// "550.54.14": from the text of /proc/driver/nvidia/version, else from the names of libraries that
// a CDI spec mounts (libcuda.so.550.54.14); "" when neither tells.
std::string nvidia_driver(std::string_view proc_text, const CdiEdits& edits);

// The highest CUDA of a driver, "12.4"; "" for a driver that is newer than the table, or none.
std::string highest_cuda(std::string_view driver);

// kUnsupported, with the remedy: the image needs more than the driver has. Reads CUDA_VERSION,
// NVIDIA_REQUIRE_CUDA and NVIDIA_DISABLE_REQUIRE of the variables. Nothing is said against a driver
// that is not known.
Status check_cuda(const CudaNeeds& needs, const std::map<std::string, std::string>& variables,
                  std::string_view driver);

}  // namespace cloche::runtime
