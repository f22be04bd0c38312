// One record of a repodata.json into an index (repodata_parser.cc).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "core/result.h"
#include "source/conda/repodata_index_builder.h"

namespace cloche::source {

// simdjson's messages as ours are written.
std::string message_of(simdjson::error_code error);

class RepodataRecordReader {
 public:
  // `builder` outlives it.
  explicit RepodataRecordReader(RepodataIndexBuilder& builder) : builder_(builder) {}

  // The records that follow are in such an object.
  void set_section(ArchiveKind kind, bool v3) {
    kind_ = kind;
    v3_ = v3;
  }
  // Whether there is a backslash anywhere in the text that follows: without one, names are read
  // where they stand.
  void set_escapes(bool some) { has_escapes_ = some; }

  // False: the record is not complete, or not JSON: problem(). Errors are about what it says.
  Result<bool> read(simdjson::ondemand::field& field);
  const std::string& problem() const { return problem_; }
  // Adds what was read last. kCorrupt: without name or version.
  Status add();

 private:
  // A key of any length. What has no escape is a view of the window.
  simdjson::simdjson_result<std::string_view> whole_key(simdjson::ondemand::field& field) const;
  // Kept only where it is not what name, version and build make of it.
  void note_file_name();
  simdjson::error_code read_field(std::string_view key, simdjson::ondemand::value value);
  // Neighbours often say the same (name, version, licence): `last` is what the record before had.
  simdjson::error_code text(simdjson::ondemand::value& value, std::uint32_t& out,
                            std::uint32_t& last);
  // What conda never looks at may be null or anything else.
  simdjson::error_code optional_text(simdjson::ondemand::value& value, std::uint32_t& out,
                                     std::uint32_t& last);
  static simdjson::error_code number(simdjson::ondemand::value& value, std::uint64_t& out);
  // Seconds in old records, milliseconds in newer ones (conda: models/records.py, TimestampField).
  simdjson::error_code timestamp(simdjson::ondemand::value& value);
  simdjson::error_code hash(simdjson::ondemand::value& value, std::span<unsigned char> out,
                            std::uint32_t bit);
  // true is conda-build's first way to say "generic" (CEP 34).
  simdjson::error_code noarch(simdjson::ondemand::value& value);
  // A list, or words in one string (old packages).
  simdjson::error_code features(simdjson::ondemand::value& value);
  simdjson::error_code texts(simdjson::ondemand::value& value, std::uint32_t& out);
  simdjson::error_code read_items(simdjson::ondemand::array& array);
  simdjson::error_code append_items(simdjson::ondemand::array& array);
  // {"extra": ["spec", ...]} as name, how many, specs (repodata_index.h).
  simdjson::error_code extras(simdjson::ondemand::value& value);

  RepodataIndexBuilder& builder_;
  ArchiveKind kind_ = ArchiveKind::kConda;
  bool v3_ = false;
  bool has_escapes_ = false;
  std::string problem_;
  std::string_view file_name_;
  RepodataIndexBuilder::Entry entry_;
  std::vector<std::uint32_t> items_;
  struct {
    std::uint32_t name = 0;
    std::uint32_t version = 0;
    std::uint32_t build = 0;
    std::uint32_t license = 0;
    std::uint32_t family = 0;
    std::uint32_t site_packages = 0;
  } last_;
};

}  // namespace cloche::source
