#include "workspace/context_files.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "core/files.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/directory_tree.h"
#include "io/file.h"

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

// Writes below one directory, out of which no link leads, also none that is planted meanwhile.
class Restorer {
 public:
  Restorer(const blob::BlobStore& blobs, io::DirectoryTree tree)
      : blobs_(blobs), tree_(std::move(tree)) {}

  Status restore(const ContextFile& file) {
    if (leaves_directory(file.path)) {
      return fail(ErrorKind::kCorrupt, "the build context holds the path '{}'",
                  printable(file.path))
          .with_hint("nothing may stand outside the context; whoever made this meant harm");
    }
    TRY(make_directories(parent_path(file.path)));
    switch (file.kind) {
      case FileKind::kDirectory:
        return tree_.make_directory(file.path);
      case FileKind::kSymlink:
        return tree_.make_symlink(file.path, file.link_target);
      case FileKind::kFile:
        return copy(file);
      case FileKind::kOther:
        return {};
    }
    return {};
  }

 private:
  Status make_directories(const std::string& path) {
    if (path.empty() || !made_.insert(path).second) {
      return {};
    }
    TRY(make_directories(parent_path(path)));
    return tree_.make_directory(path);
  }

  Status copy(const ContextFile& file) {
    const std::string source = TRY(blobs_.path(file.digest).context("restoring {}", file.path));
    const io::Descriptor in = TRY(io::open_for_reading(source));
    const bool executable = (file.mode & kExecutable) != 0;
    const io::Descriptor out = TRY(tree_.create_file(file.path, executable ? 0755 : 0644));
    Hasher hasher;
    buffer_.resize(kChunkBytes);
    while (const std::size_t count =
               TRY(io::read_some(in, buffer_.data(), buffer_.size(), source))) {
      const auto piece = std::string_view(buffer_).substr(0, count);
      hasher.update(piece);
      TRY(io::write_all(out, piece, join_path(tree_.root(), file.path)));
    }
    if (hasher.finish() != file.digest) {
      TRY(tree_.remove(file.path));
      return fail(ErrorKind::kCorrupt, "the stored content of {} is damaged", printable(file.path))
          .with_hint("remove " + printable(source) + " and register the context again");
    }
    return {};
  }

  const blob::BlobStore& blobs_;
  io::DirectoryTree tree_;
  std::unordered_set<std::string> made_;
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
  TRY(io::make_directories(directory));
  Restorer restorer(blobs, TRY(io::DirectoryTree::open(directory)));
  for (const ContextFile& file : context.files) {
    TRY(restorer.restore(file).context("writing the build context below {}", printable(directory)));
  }
  return {};
}

}  // namespace cloche::workspace
