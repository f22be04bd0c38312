#include "source/debian/deb_testing.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <zstd.h>

namespace cloche::source {

std::string make_ar(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out = "!<arch>\n";
  for (const auto& [name, content] : members) {
    out +=
        fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0, 100644, content.size());
    out += content;
    out.append(content.size() % 2, '\n');
  }
  return out;
}

std::string make_compressed(std::string_view bytes, std::string_view ending) {
  std::string out;
  std::size_t size = 0;
  if (ending == "xz") {
    out.resize(lzma_stream_buffer_bound(bytes.size()));
    lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, nullptr,
                            reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                            reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size());
  } else if (ending == "zst") {
    out.resize(ZSTD_compressBound(bytes.size()));
    size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 1);
  } else if (ending == "gz") {
    isal_zstream stream{};
    isal_deflate_init(&stream);
    stream.gzip_flag = IGZIP_GZIP;
    stream.end_of_stream = 1;
    out.resize(bytes.size() + (bytes.size() / 8) + 1000);
    std::string input(bytes);
    stream.next_in = reinterpret_cast<std::uint8_t*>(input.data());
    stream.avail_in = static_cast<std::uint32_t>(input.size());
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream.avail_out = static_cast<std::uint32_t>(out.size());
    isal_deflate(&stream);
    size = stream.total_out;
  } else {
    return std::string(bytes);
  }
  out.resize(size);
  return out;
}

TestDeb::TestDeb(std::string name, std::string version, std::string architecture)
    : name_(std::move(name)), version_(std::move(version)), architecture_(std::move(architecture)) {
  entries_.push_back({.name = "./", .type = '5', .mode = 0755});
}

TestDeb& TestDeb::file(const std::string& path, const std::string& content, std::uint32_t mode) {
  return entry({.name = "./" + path, .content = content, .mode = mode, .mtime_s = 1'600'000'000});
}

TestDeb& TestDeb::directory(const std::string& path, std::uint32_t mode) {
  return entry({.name = "./" + path + "/", .type = '5', .mode = mode, .mtime_s = 1'600'000'000});
}

TestDeb& TestDeb::symlink(const std::string& path, const std::string& target) {
  return entry({.name = "./" + path, .type = '2', .link = target, .mode = 0777});
}

TestDeb& TestDeb::hardlink(const std::string& path, const std::string& existing) {
  return entry({.name = "./" + path, .type = '1', .link = "./" + existing});
}

TestDeb& TestDeb::entry(io::TestTarEntry entry) {
  entries_.push_back(std::move(entry));
  return *this;
}

TestDeb& TestDeb::control(const std::string& name, const std::string& content) {
  const bool script = name.starts_with("pre") || name.starts_with("post") || name == "config";
  control_.push_back({.name = "./" + name, .content = content, .mode = script ? 0755U : 0644U});
  return *this;
}

TestDeb& TestDeb::field(const std::string& line) {
  fields_ += line + "\n";
  return *this;
}

TestDeb& TestDeb::compression(const std::string& ending) {
  ending_ = ending;
  return *this;
}

std::string TestDeb::bytes() const {
  std::vector<io::TestTarEntry> control = control_;
  if (std::ranges::find(control, "./control", &io::TestTarEntry::name) == control.end()) {
    control.push_back({.name = "./control",
                       .content = fmt::format("Package: {}\nVersion: {}\nArchitecture: {}\n"
                                              "Maintainer: Nobody <nobody@example.org>\n{}"
                                              "Description: made for a test\n",
                                              name_, version_, architecture_, fields_)});
  }
  const std::string end = ending_.empty() ? "" : "." + ending_;
  return make_ar({{"debian-binary", "2.0\n"},
                  {"control.tar" + end, make_compressed(io::tar_archive(control), ending_)},
                  {"data.tar" + end, make_compressed(io::tar_archive(entries_), ending_)}});
}

std::string TestDeb::write(const std::string& directory) const {
  std::string path = fmt::format("{}/{}_{}_{}.deb", directory, name_, version_, architecture_);
  std::ofstream(path, std::ios::binary) << bytes();
  return path;
}

}  // namespace cloche::source
