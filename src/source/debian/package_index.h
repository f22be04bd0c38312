// A Packages file in the form that solving reads: a file of fixed-size records over their texts,
// found by a hash table of names, made once and mapped into memory ever after. A solve touches only
// the pages of the names that it reaches. docs/formats/debian-index.md has the layout.
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
#include "package/debian/record.h"

namespace cloche::source {

namespace package_index_layout {

inline constexpr std::uint32_t kVersion = 2;

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t name_count;
  std::uint32_t record_count;
  std::uint32_t provide_count;
  std::uint32_t slot_count;  // a power of two
  std::uint32_t text_bytes;
  std::uint64_t file_bytes;
};

struct Text {
  std::uint32_t begin;
  std::uint32_t length;
};

// Of a package, or only provided by some.
struct Name {
  Text name;
  std::uint32_t first_record;
  std::uint32_t record_count;
  std::uint32_t first_provide;
  std::uint32_t provide_count;
};

// What a solve looks at; the other half of a record is Details.
struct Record {
  std::uint32_t name;  // place among the names
  std::uint8_t essential;
  std::uint8_t is_protected;
  std::uint8_t priority;
  std::uint8_t multi_arch;
  Text version;
  Text architecture;
  Text pre_depends;
  Text depends;
  Text conflicts;
  Text breaks;
  Text provides;
  Text source;
};

struct Details {
  std::uint64_t size_bytes;
  std::uint64_t installed_kib;
  Text filename;
  Text section;
  Text recommends;
  Text suggests;
  Text replaces;
  std::uint32_t has_sha256;
  unsigned char sha256[32];
  std::uint32_t padding;
};

// That a record provides a name.
struct Provide {
  std::uint32_t record;
  Text version;  // "" when it is provided without one
};

}  // namespace package_index_layout

// Read-only and shareable between threads. A file that is no index of this version is refused when
// it is opened; damage inside one gives empty texts and lists, never a read beyond its end.
class PackageIndex {
 public:
  using Name = package_index_layout::Name;
  using Record = package_index_layout::Record;
  using Provide = package_index_layout::Provide;
  using Text = package_index_layout::Text;

  // kCorrupt: not an index of this version, or cut short: make it again.
  static Result<PackageIndex> open(const std::string& path);
  static Result<PackageIndex> from_bytes(std::string bytes);

  const Name* find(std::string_view name) const;  // nullptr: neither a package nor provided
  std::span<const Name> names() const { return names_; }

  // Those of a package, the newest version first; `records()` are in no order.
  std::span<const Record> records_of(const Name& name) const;
  std::span<const Record> records() const { return records_; }
  // In the order of the file that the index was made of.
  std::span<const Provide> providers_of(const Name& name) const;

  std::string_view text(Text text) const;
  std::string_view name_of(const Record& record) const;
  const Record* record(std::uint32_t place) const;

  // All that is known of one of records(); where it is from stays empty.
  debian::PackageRecord package_record(const Record& record) const;

 private:
  static Result<PackageIndex> over(PackageIndex index, std::string_view bytes);

  io::MappedFile file_;
  std::unique_ptr<std::string> owned_;  // behind a pointer: views into it survive a move
  std::span<const Name> names_;
  std::span<const Record> records_;
  std::span<const package_index_layout::Details> details_;
  std::span<const Provide> provides_;
  std::span<const std::uint32_t> slots_;
  std::span<const char> texts_;
};

// Which paragraphs of the text are packages: all of Packages; of dpkg's status those that are
// installed (Status: install ok installed, and what is half way there).
enum class ParagraphsOf : std::uint8_t { kPackages, kStatus };

// The bytes of an index. Linear time; the same text gives the same bytes. kCorrupt, with the line:
// a paragraph that is none (package/debian/record.h) or whose Provides cannot be read, over 4 GiB,
// more than 2^24 packages.
Result<std::string> make_package_index(std::string_view packages,
                                       ParagraphsOf kind = ParagraphsOf::kPackages);

}  // namespace cloche::source
