#include "image/image_files.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include "core/files.h"
#include "core/text.h"
#include "image/layer_reader.h"
#include "io/tar_reader.h"

namespace cloche::image {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{16} << 30U;  // uncompressed, of all layers
constexpr std::size_t kMostFiles = 10'000;
constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

class Search {
 public:
  Search(std::span<const std::string> wanted, std::size_t limit_bytes)
      : wanted_(wanted), limit_bytes_(limit_bytes) {}

  Status layer(io::Reader& tar) {
    io::TarReader reader(tar);
    io::TarEntry entry;
    std::map<std::string, std::string> found;  // an opaque directory hides the layers below alone
    while (TRY(reader.next(entry))) {
      const std::string path = normal_path(entry.path);
      const std::string_view name = base_name(path);
      if (name == kOpaque) {
        remove_below(parent_path(path));
      } else if (name.starts_with(kWhiteout)) {
        const std::string gone = join_path(parent_path(path), name.substr(kWhiteout.size()));
        files_.erase(gone);
        remove_below(gone);
      } else if (is_wanted(path)) {
        TRY(take(path, entry, reader, found));
      } else if (entry.kind != io::TarKind::kDirectory) {
        remove_below(path);  // a file or link in place of a directory
      }
    }
    for (auto& [path, content] : found) {
      files_[path] = std::move(content);
    }
    return {};
  }

  std::map<std::string, std::string> take() && { return std::move(files_); }

 private:
  bool is_wanted(std::string_view path) const {
    return std::ranges::any_of(wanted_, [&](std::string_view one) {
      return one == path ||
             (one.ends_with("/*") && parent_path(path) == one.substr(0, one.size() - 2));
    });
  }

  Status take(const std::string& path, const io::TarEntry& entry, io::TarReader& reader,
              std::map<std::string, std::string>& found) {
    files_.erase(path);
    found.erase(path);
    if (entry.kind != io::TarKind::kFile) {
      return {};
    }
    if (entry.size_bytes > limit_bytes_ || files_.size() + found.size() == kMostFiles) {
      return fail(ErrorKind::kInvalid, "the image's {} is too large", printable(path));
    }
    std::string& content = found[path];
    for (;;) {
      const std::string_view piece = TRY(reader.content());
      if (piece.empty()) {
        return {};
      }
      content += piece;
    }
  }

  void remove_below(const std::string& directory) {
    const std::string prefix = directory.empty() ? "" : directory + "/";
    auto first = files_.lower_bound(prefix);
    while (first != files_.end() && first->first.starts_with(prefix)) {
      first = files_.erase(first);
    }
  }

  std::span<const std::string> wanted_;
  std::size_t limit_bytes_;
  std::map<std::string, std::string> files_;
};

}  // namespace

Result<std::map<std::string, std::string>> read_image_files(const blob::BlobStore& blobs,
                                                            const Manifest& manifest,
                                                            std::span<const std::string> wanted,
                                                            std::size_t limit_bytes,
                                                            const std::stop_token& stop) {
  Search search(wanted, limit_bytes);
  std::uint64_t left = kMostBytes;
  for (const Descriptor& layer : manifest.layers) {
    const std::unique_ptr<io::Reader> tar = TRY(open_layer(blobs, layer, left, stop));
    TRY(search.layer(*tar));
    if (left == 0) {
      return fail(ErrorKind::kUnsupported, "the image's layers are too large");
    }
  }
  return std::move(search).take();
}

}  // namespace cloche::image
