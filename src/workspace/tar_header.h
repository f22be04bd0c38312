// The header block of a tar archive's member (POSIX.1-1988 "ustar"), as far as bundles need it:
// regular files with short names.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::workspace {

inline constexpr std::size_t kTarBlockBytes = 512;
inline constexpr std::uint64_t kTarMaxSize = (std::uint64_t{1} << 33U) - 1;  // 11 octal digits

struct TarMember {
  std::string name;  // up to 100 bytes
  std::uint64_t size_bytes = 0;

  bool operator==(const TarMember&) const = default;
};

// One block: mode 0644, owner 0, time 0, so the same member gives the same bytes everywhere.
std::string encode_tar_header(const TarMember& member);

// Nothing for a block of zeros (the archive's end). kInvalid: no ustar header, a wrong checksum, or
// anything but a regular file. Mode, owner and time are not looked at.
Result<std::optional<TarMember>> decode_tar_header(std::string_view block);

// How many zero bytes follow the content, to fill its last block.
std::size_t tar_padding(std::uint64_t size_bytes);

}  // namespace cloche::workspace
