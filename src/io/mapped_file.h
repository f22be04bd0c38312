// A file as memory, read-only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"

namespace cloche::io {

// Unmaps what it holds. Move-only; may be read by many threads. A file that shrinks while it is
// mapped would end the process (SIGBUS), so only files that are replaced, never rewritten, are
// mapped.
class MappedFile {
 public:
  // kNotFound, kPermission, kInvalid as open_for_reading().
  static Result<MappedFile> open(const std::string& path);
  MappedFile() = default;
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace cloche::io
