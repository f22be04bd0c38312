#include "io/tar_testing.h"

#include <algorithm>

#include <fmt/format.h>

namespace cloche::io {
namespace {

constexpr std::size_t kBlock = 512;

std::string padded(std::string data) {
  data.resize((data.size() + kBlock - 1) / kBlock * kBlock, '\0');
  return data;
}

void put(std::string& block, std::size_t at, std::size_t size, std::string_view text) {
  block.replace(at, std::min(size, text.size()), text.substr(0, size));
}

}  // namespace

std::string tar_header(const TestTarEntry& entry) {
  std::string out(kBlock, '\0');
  const std::uint64_t size =
      entry.stated_size >= 0 ? static_cast<std::uint64_t>(entry.stated_size) : entry.content.size();
  put(out, 0, 100, entry.name);
  put(out, 100, 8, fmt::format("{:07o}", entry.mode));
  put(out, 108, 8, fmt::format("{:07o}", entry.uid));
  put(out, 116, 8, fmt::format("{:07o}", entry.gid));
  put(out, 124, 12, fmt::format("{:011o}", size));
  put(out, 136, 12, fmt::format("{:011o}", entry.mtime_s));
  out[156] = entry.type;
  put(out, 157, 100, entry.link);
  put(out, 257, 8, std::string_view("ustar\00000", 8));
  put(out, 329, 8, fmt::format("{:07o}", entry.major));
  put(out, 337, 8, fmt::format("{:07o}", entry.minor));
  out.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : out) {
    sum += static_cast<unsigned char>(c);
  }
  put(out, 148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
  return out;
}

std::string pax_records(const std::vector<std::pair<std::string, std::string>>& records) {
  std::string out;
  for (const auto& [key, value] : records) {
    std::size_t size = key.size() + value.size() + 3;
    while (fmt::format("{}", size).size() + key.size() + value.size() + 3 != size) {
      ++size;
    }
    out += fmt::format("{} {}={}\n", size, key, value);
  }
  return out;
}

std::string tar_entry(const TestTarEntry& entry) {
  std::string out;
  if (!entry.pax.empty()) {
    const std::string records = pax_records(entry.pax);
    out += tar_header({.name = "pax", .type = 'x', .content = records}) + padded(records);
  }
  return out + tar_header(entry) + padded(entry.content);
}

std::string tar_archive(const std::vector<TestTarEntry>& entries) {
  std::string out;
  for (const TestTarEntry& entry : entries) {
    out += tar_entry(entry);
  }
  return out + std::string(2 * kBlock, '\0');
}

}  // namespace cloche::io
