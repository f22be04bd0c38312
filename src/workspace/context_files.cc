#include "workspace/context_files.h"

#include <algorithm>
#include <cerrno>
#include <ranges>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/files.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/file.h"
#include "io/system_error.h"

namespace cloche::workspace {
namespace {

using definition::BuildContextBase;
using definition::ContextFile;

constexpr std::size_t kChunkBytes = std::size_t{128} << 10U;
constexpr std::uint32_t kExecutable = 0111;

const BuildContextBase* context_of(const definition::Definition& definition) {
  return std::get_if<BuildContextBase>(&definition.base);
}

Error changed(const ContextFile& file) {
  return fail(ErrorKind::kInvalid, "{} changed while the build context was registered",
              printable(file.path))
      .with_hint("run this again when nothing writes there");
}

Status store_file(const ContextFile& file, const std::string& root, const blob::BlobStore& blobs) {
  if (blobs.use(file.digest)) {
    return {};
  }
  if (root.empty()) {
    return fail(ErrorKind::kNotFound, "the content of {} is not stored here", printable(file.path))
        .with_hint("register it from its directory, or load it from a saved file");
  }
  auto stored = blobs.put_file(join_path(root, file.path), file.digest);
  if (!stored && stored.error().kind == ErrorKind::kCorrupt) {
    return changed(file);
  }
  TRY(std::move(stored).context("storing the build context"));
  return {};
}

bool leaves_directory(std::string_view path) {
  const auto bad = [](std::string_view part) {
    return part.empty() || part == "." || part == "..";
  };
  return path.find('\0') != std::string_view::npos || std::ranges::any_of(split(path, '/'), bad);
}

// Writes below one directory, through descriptors: openat() with O_NOFOLLOW at every step means
// that a link, also one planted while this runs, is an error and not a way out.
class Restorer {
 public:
  Restorer(const blob::BlobStore& blobs, std::string directory)
      : blobs_(blobs), directory_(std::move(directory)) {}

  Status open() {
    TRY(io::make_directories(directory_));
    root_ = io::Descriptor(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return root_.valid() ? Status() : io::system_error(errno, "open the directory", directory_);
  }

  Status restore(const ContextFile& file) {
    if (leaves_directory(file.path)) {
      return fail(ErrorKind::kCorrupt, "the build context holds the path '{}'",
                  printable(file.path))
          .with_hint("nothing may stand outside the context; whoever made this meant harm");
    }
    const std::vector<std::string_view> parts = split(file.path, '/');
    const io::Descriptor parent =
        TRY(open_parent(std::span(parts).first(parts.size() - 1), file.path));
    return place(file, parent, std::string(parts.back()));
  }

 private:
  Result<io::Descriptor> open_parent(std::span<const std::string_view> parts,
                                     const std::string& path) {
    io::Descriptor current(::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (const std::string_view part : parts) {
      const std::string name(part);
      TRY(make_directory(current, name, path));
      io::Descriptor next(
          ::openat(current.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!next.valid()) {
        return io::system_error(errno == ENOTDIR ? ELOOP : errno, "write", shown(path));
      }
      current = std::move(next);
    }
    return current;
  }

  Status make_directory(const io::Descriptor& parent, const std::string& name,
                        const std::string& path) const {
    if (::mkdirat(parent.get(), name.c_str(), 0777) != 0 && errno != EEXIST) {
      return io::system_error(errno, "create the directory for", shown(path));
    }
    return {};
  }

  Status place(const ContextFile& file, const io::Descriptor& parent, const std::string& name) {
    switch (file.kind) {
      case FileKind::kDirectory:
        return make_directory(parent, name, file.path);
      case FileKind::kSymlink:
        if (::symlinkat(file.link_target.c_str(), parent.get(), name.c_str()) != 0) {
          return io::system_error(errno, "create the link", shown(file.path));
        }
        return {};
      case FileKind::kFile:
        return copy(file, parent, name);
      case FileKind::kOther:
        return {};
    }
    return {};
  }

  Status copy(const ContextFile& file, const io::Descriptor& parent, const std::string& name) {
    const std::string source = TRY(blobs_.path(file.digest).context("restoring {}", file.path));
    const io::Descriptor in = TRY(io::open_for_reading(source));
    const mode_t mode = (file.mode & kExecutable) != 0 ? 0777 : 0666;
    const io::Descriptor out(::openat(parent.get(), name.c_str(),
                                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!out.valid()) {
      return io::system_error(errno, "create", shown(file.path));
    }
    Hasher hasher;
    buffer_.resize(kChunkBytes);
    while (const std::size_t count =
               TRY(io::read_some(in, buffer_.data(), buffer_.size(), source))) {
      const auto piece = std::string_view(buffer_).substr(0, count);
      hasher.update(piece);
      TRY(io::write_all(out, piece, shown(file.path)));
    }
    if (hasher.finish() != file.digest) {
      ::unlinkat(parent.get(), name.c_str(), 0);
      return fail(ErrorKind::kCorrupt, "the stored content of {} is damaged", printable(file.path))
          .with_hint("remove " + printable(source) + " and register the context again");
    }
    return {};
  }

  std::string shown(const std::string& path) const { return join_path(directory_, path); }

  const blob::BlobStore& blobs_;
  std::string directory_;
  io::Descriptor root_;
  std::string buffer_;
};

}  // namespace

Status store_context(definition::Definition& definition, const blob::BlobStore& blobs) {
  auto* context = std::get_if<BuildContextBase>(&definition.base);
  if (context == nullptr) {
    return {};
  }
  bool any = false;
  for (const ContextFile& file : context->files) {
    if (file.kind == FileKind::kFile) {
      TRY(store_file(file, context->root, blobs));
      any = true;
    }
  }
  context->root.clear();
  return any ? blobs.sync() : Status();
}

Status copy_context(const definition::Definition& definition, const blob::BlobStore& from,
                    const blob::BlobStore& to) {
  const BuildContextBase* context = context_of(definition);
  if (context == nullptr) {
    return {};
  }
  for (const ContextFile& file : context->files) {
    if (file.kind == FileKind::kFile && !to.use(file.digest)) {
      const std::string source = TRY(from.path(file.digest).context("copying {}", file.path));
      TRY(to.put_file(source, file.digest));
    }
  }
  return {};
}

Status write_context(const BuildContextBase& context, const blob::BlobStore& blobs,
                     const std::string& directory) {
  if (!context.uri.empty()) {
    return fail(ErrorKind::kUnsupported, "the build context stands at {}", printable(context.uri))
        .with_hint("fetch it from there");
  }
  Restorer restorer(blobs, directory);
  TRY(restorer.open());
  for (const ContextFile& file : context.files) {
    TRY(restorer.restore(file).context("writing the build context below {}", printable(directory)));
  }
  return {};
}

}  // namespace cloche::workspace
