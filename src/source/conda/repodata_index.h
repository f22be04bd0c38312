// A channel's subdir in the form that solving reads: a file of fixed-size records, sorted by name,
// over interned strings, made once from repodata.json and mapped into memory ever after. A solve
// touches only the pages of the names that it reaches. docs/formats/repodata-index.md has the
// layout.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "io/mapped_file.h"
#include "package/conda/record.h"

namespace cloche::source {

// Which archive a record is about.
enum class ArchiveKind : std::uint8_t { kConda, kTarBz2 };

namespace index_layout {

inline constexpr std::uint32_t kVersion = 1;

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t subdir;    // string
  std::uint32_t base_url;  // string; CEP 15
  std::uint32_t string_count;
  std::uint32_t list_count;
  std::uint32_t list_item_count;
  std::uint32_t name_count;
  std::uint32_t record_count;
  std::uint64_t string_bytes;
  std::uint64_t file_bytes;
};

struct Name {
  std::uint32_t name;  // string
  std::uint32_t first;
  std::uint32_t count;
};

// What a solve looks at; the other half of a record is Details.
struct Record {
  std::uint32_t version;  // string
  std::uint32_t build;    // string
  std::uint32_t depends;  // list of strings, as the next three
  std::uint32_t constrains;
  std::uint32_t track_features;
  std::uint32_t flags;
  std::uint32_t extra_depends;  // list: name, how many, MatchSpecs; and again
  std::uint32_t kind;           // ArchiveKind
  std::uint64_t build_number;
  std::int64_t timestamp_ms;
};

struct Details {
  std::uint64_t size_bytes;
  std::uint32_t license;  // string, as the next three
  std::uint32_t license_family;
  std::uint32_t python_site_packages_path;
  std::uint32_t file_name;  // "" when it is name-version-build with the kind's ending
  std::uint32_t noarch;     // conda::Noarch
  std::uint32_t hashes;     // 1: md5 is there; 2: sha256 is there
  unsigned char md5[16];
  unsigned char sha256[32];
};

}  // namespace index_layout

// Read-only and shareable between threads. A file that is no index of this version is refused when
// it is opened; damage inside one gives empty strings and lists, never a read beyond its end.
class RepodataIndex {
 public:
  using Record = index_layout::Record;

  // kCorrupt: not an index of this version, or cut short: make it again.
  static Result<RepodataIndex> open(const std::string& path);
  static Result<RepodataIndex> from_bytes(std::string bytes);

  std::string_view subdir() const { return string(header().subdir); }
  std::string_view base_url() const { return string(header().base_url); }

  // The records of a package, which stand together; empty when there is none.
  std::span<const Record> records_of(std::string_view name) const;
  std::span<const Record> records() const { return records_; }

  std::size_t name_count() const { return names_.size(); }
  std::string_view name(std::size_t i) const { return string(names_[i].name); }

  std::string_view string(std::uint32_t id) const;
  std::span<const std::uint32_t> list(std::uint32_t id) const;
  std::uint32_t string_count() const { return header().string_count; }

  // All that is known of one of records(); `channel` is the channel's URL.
  conda::PackageRecord package_record(const Record& record, std::string_view channel) const;

 private:
  static Result<RepodataIndex> over(RepodataIndex index, std::string_view bytes);
  const index_layout::Header& header() const { return *header_; }
  std::string_view name_of(const Record& record) const;

  io::MappedFile file_;
  std::unique_ptr<std::string> owned_;  // behind a pointer: views into it survive a move
  const index_layout::Header* header_ = nullptr;
  std::span<const std::uint64_t> string_starts_;
  std::span<const char> string_bytes_;
  std::span<const std::uint32_t> list_starts_;
  std::span<const std::uint32_t> list_items_;
  std::span<const index_layout::Name> names_;
  std::span<const Record> records_;
  std::span<const index_layout::Details> details_;
};

}  // namespace cloche::source
