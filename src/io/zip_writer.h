// A ZIP file of stored members of which every byte is decided by their names and content.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::io {

struct StoredMember {
  std::string name;
  std::string_view content;
};

// The members in their order, uncompressed, dated 1980-01-01 (ZIP's first day), then the directory.
// The sink's error ends the writing. kUnsupported: a member or the whole file of 4 GiB or more,
// which would need zip64; 65,535 members or more.
Status write_stored_zip(std::span<const StoredMember> members,
                        const std::function<Status(std::string_view)>& sink);

}  // namespace cloche::io
