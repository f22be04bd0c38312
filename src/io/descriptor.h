// A file descriptor with an owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"

namespace cloche::io {

// Closes what it holds. Move-only; not shared between threads.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }  // the caller closes it
  bool valid() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

// Opens a regular file for reading. Never blocks: a FIFO or a device is refused (kInvalid), and so
// is a directory.
Result<Descriptor> open_for_reading(const std::string& path);

// Up to `size` bytes, fewer only at the end of the file; 0 at the end. `path` is for the message.
Result<std::size_t> read_some(const Descriptor& file, char* buffer, std::size_t size,
                              std::string_view path);

Result<std::uint64_t> file_size(const Descriptor& file, std::string_view path);

Status write_all(const Descriptor& file, std::string_view bytes, std::string_view path);

// Sets when the content was last changed; of a file that is open for writing.
Status set_mtime(const Descriptor& file, std::int64_t seconds, std::string_view path);

// Until it returns, a power cut may undo what was written.
Status sync(const Descriptor& file, std::string_view path);

// Makes renames and new names in a directory survive a power cut.
Status sync_directory(const std::string& path);

}  // namespace cloche::io
