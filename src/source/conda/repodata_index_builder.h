// Makes the bytes of a RepodataIndex from records in whatever order they come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "package/conda/record.h"
#include "source/conda/repodata_index.h"

namespace cloche::source {

// Texts by number, each once; 0 is "". Numbers are given in the order of first use.
class StringTable {
 public:
  StringTable();
  std::uint32_t add(std::string_view text);
  std::string_view text(std::uint32_t id) const;
  std::uint32_t count() const { return static_cast<std::uint32_t>(starts_.size() - 1); }
  const std::vector<std::uint64_t>& starts() const { return starts_; }
  const std::string& bytes() const { return bytes_; }

 private:
  void grow();

  std::string bytes_;
  std::vector<std::uint64_t> starts_;  // one more than there are texts
  std::vector<std::uint32_t> hashes_;
  std::vector<std::uint32_t> slots_;  // open addressing; 0 is free
};

// One thread. The same records in the same order give the same bytes.
class RepodataIndexBuilder {
 public:
  // A record being added; texts are interned through strings() and list().
  struct Entry {
    std::uint32_t name = 0;
    index_layout::Record record{};
    index_layout::Details details{};
  };

  // Makes room for the records of so much JSON: growing by doubling holds every record twice.
  void expect(std::uint64_t json_bytes);

  void set_subdir(std::string_view subdir) { subdir_ = strings_.add(subdir); }
  void set_base_url(std::string_view url) { base_url_ = strings_.add(url); }
  std::string_view subdir() const { return strings_.text(subdir_); }

  StringTable& strings() { return strings_; }
  std::uint32_t list(std::span<const std::uint32_t> items);

  // Remembers what list the raw text of a JSON array stands for, so that an array which many
  // records share is read once. Two different texts share an answer with a chance of 2^-128.
  struct RawKey {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    bool operator==(const RawKey&) const = default;
  };
  static RawKey raw_key(std::string_view raw);
  std::optional<std::uint32_t> known_list(const RawKey& key) const;
  void remember_list(const RawKey& key, std::uint32_t list);

  void add(const Entry& entry);
  void add(const conda::PackageRecord& record);

  // Hands out the index piece by piece. Of records with the same name, version and build, the
  // .conda archive is kept (CEP 36), and of equals the one added last.
  Status finish(const std::function<Status(std::string_view)>& write) &&;
  Result<RepodataIndex> finish() &&;

 private:
  struct KnownList {
    RawKey key;
    std::uint32_t list = 0;
    bool used = false;
  };

  std::size_t known_slot(const RawKey& key) const;
  void drop_duplicates(std::vector<std::uint32_t>& order) const;

  StringTable strings_;
  std::uint32_t subdir_ = 0;
  std::uint32_t base_url_ = 0;
  std::vector<std::uint32_t> list_starts_ = {0, 0};  // list 0 is the empty one
  std::vector<std::uint32_t> list_items_;
  std::vector<KnownList> known_;
  std::size_t known_count_ = 0;
  std::vector<std::uint32_t> names_;  // of each record, a string
  std::vector<index_layout::Record> records_;
  std::vector<index_layout::Details> details_;
};

// Lower- or upper-case digits into bytes; false when the text is not twice as long or no hex.
bool parse_hex(std::string_view text, std::span<unsigned char> out);

}  // namespace cloche::source
