// Tar archives byte by byte, the wrong ones too, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cloche::io {

// One entry as it is to be written: nothing is checked.
struct TestTarEntry {
  std::string name;
  char type = '0';
  std::string content = {};
  std::string link = {};
  std::uint32_t mode = 0644;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t mtime_s = 0;
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::int64_t stated_size = -1;                              // -1: the content's
  std::vector<std::pair<std::string, std::string>> pax = {};  // an extended header before it
};

// A header block in ustar's form. A name of more than 100 bytes is cut: say it with pax.
std::string tar_header(const TestTarEntry& entry);

// The records of an extended header, each with its length.
std::string pax_records(const std::vector<std::pair<std::string, std::string>>& records);

// The entry with what comes before and after it.
std::string tar_entry(const TestTarEntry& entry);

// All of them and two blocks of zeros.
std::string tar_archive(const std::vector<TestTarEntry>& entries);

}  // namespace cloche::io
