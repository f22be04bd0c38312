#include "io/http_sink.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/system_error.h"

namespace cloche::io {
namespace {

constexpr std::size_t kHeadBytes = 16;
constexpr std::size_t kBufferBytes = std::size_t{256} * 1024;

}  // namespace

Result<std::unique_ptr<FileSink>> FileSink::open(const std::string& path, bool with_md5) {
  TRY(check_path(path));
  // Never blocks on a FIFO that stands there, and never truncates what may be continued.
  Descriptor file(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
  struct stat info{};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) {
    return system_error(errno, "create", path);
  }
  if (!S_ISREG(info.st_mode)) {
    return fail(ErrorKind::kConflict, "{} is in the way: a file is needed here", path);
  }
  std::unique_ptr<FileSink> sink(new FileSink(path, std::move(file), with_md5));
  TRY(sink->read_existing());
  return sink;
}

FileSink::FileSink(std::string path, Descriptor file, bool with_md5)
    : path_(std::move(path)), file_(std::move(file)), with_md5_(with_md5) {}

Status FileSink::read_existing() {
  std::string buffer(kBufferBytes, '\0');
  while (true) {
    const std::size_t count = TRY(read_some(file_, buffer.data(), buffer.size(), path_));
    if (count == 0) {
      return {};
    }
    take(std::string_view(buffer).substr(0, count));
  }
}

void FileSink::take(std::string_view bytes) {
  head_ += bytes.substr(0, kHeadBytes - std::min(kHeadBytes, head_.size()));
  size_bytes_ += bytes.size();
  sha256_.update(bytes);
  if (with_md5_) {
    md5_.update(bytes);
  }
}

Status FileSink::restart() {
  if (size_bytes_ == 0) {
    return {};
  }
  if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) != 0) {
    return system_error(errno, "write", path_);
  }
  size_bytes_ = 0;
  head_.clear();
  sha256_ = Hasher();
  md5_ = Hasher(Hasher::Algorithm::kMd5);
  return {};
}

Status FileSink::write(std::string_view bytes) {
  TRY(write_all(file_, bytes, path_));
  take(bytes);
  return {};
}

Result<FileSink::Hashes> FileSink::finish() {
  TRY(sync(file_, path_));
  file_.close();
  return Hashes{sha256_.finish(), with_md5_ ? md5_.finish_hex() : ""};
}

}  // namespace cloche::io
