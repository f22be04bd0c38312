// Small files of a package that wait until there are enough of them to be hashed side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "source/conda/package_archive.h"
#include "source/conda/package_files.h"

namespace cloche::source {

// One thread.
class HeldFiles {
 public:
  static constexpr std::size_t kMaxFileBytes = std::size_t{256} << 10U;

  struct File {
    PlacedPath* placed;
    std::uint32_t mode;
    std::int64_t mtime_s;
  };
  using Take =
      std::function<Status(const File& file, std::string_view content, std::string sha256)>;

  // The content of the entry that the stream stands at. About 4 MB are held before full().
  Status add(const File& file, EntryStream& stream);
  bool full() const;

  // Gives all away, in their order; `content` is valid during the call.
  Status take(const Take& take);

 private:
  std::vector<File> files_;
  std::vector<std::size_t> ends_;  // in `bytes_`
  std::string bytes_;
};

}  // namespace cloche::source
