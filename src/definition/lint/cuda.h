// CUDA versions as they are told by image tags, wheels, package indexes and conda packages.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cloche::definition {

struct CudaVersion {
  int major = 0;
  int minor = -1;  // -1: not told ("cuda12")

  std::string to_string() const;
  bool operator==(const CudaVersion&) const = default;
};

// "11.8", "11.8.0", "12": what conda's cudatoolkit and pytorch-cuda have for a version.
std::optional<CudaVersion> parse_cuda_version(std::string_view text);

// PyTorch's short form, the last digit of which is the minor version: "cu118", "cu92", "cu130";
// found in "2.1.0+cu121" and "https://download.pytorch.org/whl/cu121".
std::optional<CudaVersion> cuda_of_wheel(std::string_view text);

// "cuda11.8-cudnn8", "cuda-12.1", "cuda12": somewhere in an image's repository or tag.
std::optional<CudaVersion> cuda_in_name(std::string_view text);

}  // namespace cloche::definition
