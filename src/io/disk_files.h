// The disk as a FileSource. Stateless; safe for use by many threads.
#pragma once

#include "core/files.h"

namespace cloche::io {

// Only regular files are read: a FIFO or a device never makes the program wait. A directory of more
// than 1,000,000 entries is kInvalid.
class DiskFiles : public FileSource {
 public:
  Result<std::string> read(const std::string& path, std::size_t limit_bytes) override;
  Status read_parts(const std::string& path,
                    const std::function<void(std::string_view)>& take) override;
  Result<std::vector<FileEntry>> list(const std::string& directory) override;
  Result<Digest> digest(const std::string& path) override;
  Result<FileKind> kind(const std::string& path) override;
};

}  // namespace cloche::io
