// The forms in which a channel offers a subdir's repodata. For the fetchers of this folder only.
#pragma once

#include <array>
#include <string_view>

#include "io/decompress.h"

namespace cloche::source {

struct RepodataVariant {
  std::string_view name;
  io::Compression compression;
};

// In the order in which a server is asked.
inline constexpr std::array<RepodataVariant, 3> kRepodataVariants{{
    {"repodata.json.zst", io::Compression::kZstd},
    {"repodata.json", io::Compression::kNone},
    {"repodata.json.bz2", io::Compression::kBzip2},
}};

// CEP 16.
inline constexpr RepodataVariant kShardsVariant{"repodata_shards.msgpack.zst",
                                                io::Compression::kZstd};

// Whether a file that begins so may be what its name says: an error page with status 200 is not
// kept.
bool looks_like(const RepodataVariant& variant, std::string_view head);

}  // namespace cloche::source
