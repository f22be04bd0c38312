// A package's files on their way into a segment.
#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_set>

#include "blob/segment.h"
#include "core/result.h"
#include "io/spill_buffer.h"
#include "io/tar_reader.h"
#include "source/conda/link_ways.h"
#include "source/conda/package_files.h"
#include "source/conda/packing_share.h"

namespace cloche::source {

// Takes files in the order of their archive and keeps them, the first 32 MB in memory, until they
// can be written in a segment's order. One thread.
class SortedFiles : public FileSink {
 public:
  using Paths = std::unordered_set<std::string_view>;

  // All outlive it. `ways`: where paths really lie.
  SortedFiles(const std::string& temporary_directory, const LinkWays& ways, PackingShare& share,
              const std::stop_token& stop);

  // How much all files have together, as far as one knows.
  void expect(std::uint64_t bytes) { contents_.expect(bytes); }

  Status directory(const std::string& path) override;
  Status file(const File& file) override;
  Status content(std::string_view piece) override {
    share_.passed(piece.size());
    return contents_.append(piece);
  }
  Status file_end(const std::string& sha256) override;
  Status symlink(const std::string& path, const std::string& target) override;
  Status hardlink(const std::string& path, const std::string& existing) override;

  // A file as a whole, of mode 0644 and the fixed time.
  Status add(const std::string& path, std::string_view content);

  // Everything but the lost paths, below `prefix`.
  Status write(const std::string& prefix, const Paths& lost, blob::SegmentWriter& segment);

 private:
  struct InOrder {
    bool operator()(std::string_view a, std::string_view b) const {
      return blob::comes_before(a, b);
    }
  };
  struct Item {
    io::TarKind kind = io::TarKind::kFile;
    std::uint32_t mode = 0755;
    std::uint64_t size_bytes = 0;
    std::int64_t mtime_s = blob::kFixedTime;
    std::uint64_t at = 0;
    std::string text = {};  // a file's sha256, a link's target
  };

  static std::string_view content_of(const std::string& path, const Item& item);
  Status write(const std::string& prefix, const std::string& path, std::string_view first,
               const Item& item, blob::SegmentWriter& segment);

  std::map<std::string, Item, InOrder> items_;
  io::SpillBuffer contents_;
  const LinkWays& ways_;
  PackingShare& share_;
  const std::stop_token& stop_;
  Item* open_ = nullptr;
};

}  // namespace cloche::source
