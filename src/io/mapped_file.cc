#include "io/mapped_file.h"

#include <cerrno>

#include <sys/mman.h>
#include <sys/stat.h>

#include "io/descriptor.h"
#include "io/system_error.h"

namespace cloche::io {

Result<MappedFile> MappedFile::open(const std::string& path) {
  const Descriptor file = TRY(open_for_reading(path));
  struct stat status{};
  if (fstat(file.get(), &status) != 0) {
    return system_error(errno, "read", path);
  }
  MappedFile out;
  out.size_ = static_cast<std::size_t>(status.st_size);
  if (out.size_ == 0) {
    return out;
  }
  void* const address = mmap(nullptr, out.size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) {
    out.size_ = 0;
    return system_error(errno, "map", path);
  }
  out.data_ = static_cast<const char*>(address);
  return out;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    munmap(const_cast<char*>(data_), size_);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  }
}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace cloche::io
