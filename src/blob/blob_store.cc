#include "blob/blob_store.h"

#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob/use_stamp.h"
#include "core/files.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/system_error.h"

namespace cloche::blob {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{128} << 10U;
constexpr std::uint32_t kReadOnly = 0444;  // a blob never changes; a slip of an editor is refused

bool is_file(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Error damaged(const Digest& digest) {
  return fail(ErrorKind::kCorrupt, "the stored file {} does not hold what its name says",
              digest.to_string())
      .with_hint("remove it and register again from the original files");
}

}  // namespace

BlobStore::Writer::Writer(const BlobStore& store, io::TemporaryFile file)
    : root_(store.root_), file_(std::move(file)) {}

Status BlobStore::Writer::append(std::string_view bytes) {
  hasher_.update(bytes);
  return file_.write(bytes);
}

Result<Digest> BlobStore::Writer::commit(const Digest& expected) && {
  Digest digest = hasher_.finish();
  if (!expected.empty() && digest != expected) {
    return fail(ErrorKind::kCorrupt, "the content is {}, not {}", digest.to_string(),
                expected.to_string());
  }
  const BlobStore store(root_);
  if (!store.use(digest)) {
    TRY(std::move(file_).rename_to(store.place_of(digest)));
  }
  return digest;
}

Result<Digest> BlobStore::Writer::commit_to_cache() && {
  Digest digest = hasher_.finish();
  const BlobStore store(root_);
  if (!store.use(digest)) {
    TRY(io::sync(TRY(io::open_for_reading(file_.path())), file_.path()));
    file_.close();
    TRY(store.adopt(file_.path(), digest));
  }
  return digest;
}

BlobStore::BlobStore(std::string root) : root_(std::move(root)) {}

std::string BlobStore::place_of(const Digest& digest) const {
  return join_path(root_, "blobs/sha256/" + digest.hex());
}

Result<BlobStore::Writer> BlobStore::writer() const {
  TRY(io::make_directories(join_path(root_, "blobs/sha256")));
  const std::string work = join_path(root_, "tmp");
  TRY(io::make_directories(work));
  return Writer(*this, TRY(io::TemporaryFile::create(work, kReadOnly)));
}

Result<Digest> BlobStore::put_file(const std::string& path, const Digest& expected) const {
  if (!expected.empty() && use(expected)) {
    return expected;
  }
  const io::Descriptor file = TRY(io::open_for_reading(path));
  Writer blob = TRY(writer());
  std::string buffer(kChunkBytes, '\0');
  while (const std::size_t count = TRY(io::read_some(file, buffer.data(), buffer.size(), path))) {
    TRY(blob.append(std::string_view(buffer).substr(0, count)));
  }
  return std::move(blob).commit(expected).context("storing {}", printable(path));
}

Result<Digest> BlobStore::put(std::string_view content) const {
  Digest digest = Digest::of(content);
  if (use(digest)) {
    return digest;
  }
  Writer blob = TRY(writer());
  TRY(blob.append(content));
  return std::move(blob).commit();
}

Status BlobStore::adopt(const std::string& path, const Digest& digest) const {
  TRY(io::make_directories(join_path(root_, "blobs/sha256")));
  if (use(digest)) {
    ::unlink(path.c_str());
    return {};
  }
  if (::chmod(path.c_str(), kReadOnly) != 0 ||
      ::utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) != 0 ||
      std::rename(path.c_str(), place_of(digest).c_str()) != 0) {
    return io::system_error(errno, "store", path);
  }
  return {};
}

Status BlobStore::link_from(const BlobStore& other, const Digest& digest) const {
  if (use(digest)) {
    return {};
  }
  const std::string source = TRY(other.path(digest));
  TRY(io::make_directories(join_path(root_, "blobs/sha256")));
  if (::link(source.c_str(), place_of(digest).c_str()) == 0 || errno == EEXIST) {
    return use(digest) ? Status() : Status(io::system_error(ENOENT, "link", source));
  }
  // Another file system, or one without links, or a file that is not ours (protected_hardlinks).
  TRY(put_file(source, digest));
  return {};
}

bool BlobStore::contains(const Digest& digest) const {
  return !digest.empty() && is_file(place_of(digest));
}

bool BlobStore::use(const Digest& digest) const {
  return !digest.empty() && is_file(place_of(digest)) && stamp(root_, place_of(digest));
}

Status BlobStore::sync() const { return io::sync_directory(join_path(root_, "blobs/sha256")); }

Result<std::string> BlobStore::path(const Digest& digest) const {
  if (!contains(digest)) {
    return fail(ErrorKind::kNotFound, "no stored file {}", digest.to_string());
  }
  return place_of(digest);
}

Result<std::string> BlobStore::read(const Digest& digest, std::size_t limit_bytes) const {
  std::string content = TRY(io::DiskFiles().read(TRY(path(digest)), limit_bytes));
  if (Digest::of(content) != digest) {
    return damaged(digest);
  }
  return content;
}

}  // namespace cloche::blob
