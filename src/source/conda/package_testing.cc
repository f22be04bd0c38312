#include "source/conda/package_testing.h"

#include <fstream>
#include <utility>

#include <bzlib.h>
#include <fmt/format.h>
#include <zstd.h>

#include "core/check.h"
#include "core/digest.h"
#include "core/files.h"

namespace cloche::source {
namespace {

std::string tar_header(const TestEntry& entry) {
  std::string block(512, '\0');
  CHECK(entry.path.size() <= 100);
  CHECK(entry.link_target.size() <= 100);
  block.replace(0, entry.path.size(), entry.path);
  block.replace(100, 7, fmt::format("{:07o}", entry.mode));
  block.replace(124, 11, fmt::format("{:011o}", entry.content.size()));
  block.replace(136, 11, fmt::format("{:011o}", entry.mtime_s));
  block[156] = entry.type;
  block.replace(157, entry.link_target.size(), entry.link_target);
  block.replace(257, 8, std::string("ustar\00000", 8));
  block.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : block) {
    sum += static_cast<unsigned char>(c);
  }
  block.replace(148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
  return block;
}

std::string little(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) {
    out += static_cast<char>(value >> (8 * i) & 0xffU);
  }
  return out;
}

// Fields of a ZIP header: numbers of so many bytes.
std::string fields(std::initializer_list<std::pair<std::uint64_t, std::size_t>> all) {
  std::string out;
  for (const auto& [value, bytes] : all) {
    out += little(value, bytes);
  }
  return out;
}

}  // namespace

std::string make_tar(const std::vector<TestEntry>& entries) {
  std::string out;
  for (const TestEntry& entry : entries) {
    out += tar_header(entry) + entry.content;
    out.resize(((out.size() + 511) / 512) * 512, '\0');
  }
  return out + std::string(1024, '\0');
}

std::string make_zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 1));
  return out;
}

std::string make_bzip2(std::string_view bytes) {
  std::string in(bytes);
  auto size = static_cast<unsigned>(in.size() + (in.size() / 50) + 600);
  std::string out(size, '\0');
  CHECK(BZ2_bzBuffToBuffCompress(out.data(), &size, in.data(), static_cast<unsigned>(in.size()), 1,
                                 0, 0) == BZ_OK);
  out.resize(size);
  return out;
}

std::string make_zip(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out;
  std::string directory;
  for (const auto& [name, content] : members) {
    const std::string middle = fields({{0, 2},
                                       {0, 2},
                                       {0, 4},
                                       {0, 4},
                                       {content.size(), 4},
                                       {content.size(), 4},
                                       {name.size(), 2},
                                       {0, 2}});
    directory += "PK\1\2" + fields({{20, 2}, {20, 2}});
    directory += middle + fields({{0, 2}, {0, 2}, {0, 2}, {0, 4}, {out.size(), 4}});
    directory += name;
    out += "PK\3\4" + fields({{20, 2}});
    out += middle;
    out += name;
    out += content;
  }
  const std::size_t offset = out.size();
  out += directory;
  out += "PK\5\6" + fields({{0, 2},
                            {0, 2},
                            {members.size(), 2},
                            {members.size(), 2},
                            {directory.size(), 4},
                            {offset, 4},
                            {0, 2}});
  return out;
}

TestPackage::TestPackage(std::string name, std::string version, std::string build) {
  record_.name = std::move(name);
  record_.version = std::move(version);
  record_.build = std::move(build);
  record_.channel = "https://conda.anaconda.org/test";
  record_.subdir = "linux-64";
  record_.file_name = distribution_name(record_) + ".conda";
  record_.url = record_.channel + "/linux-64/" + record_.file_name;
}

TestPackage& TestPackage::file(const std::string& path, const std::string& content,
                               std::uint32_t mode) {
  entries_.push_back({.path = path, .content = content, .mode = mode});
  lines_.push_back(Json::object()
                       .set("_path", path)
                       .set("path_type", "hardlink")
                       .set("sha256", Digest::of(content).hex())
                       .set("size_in_bytes", static_cast<std::int64_t>(content.size())));
  return *this;
}

TestPackage& TestPackage::placeholder(const std::string& path, const std::string& content,
                                      const std::string& placeholder,
                                      const std::string& file_mode) {
  file(path, content, 0755);
  lines_.back().set("prefix_placeholder", placeholder).set("file_mode", file_mode);
  return *this;
}

TestPackage& TestPackage::symlink(const std::string& path, const std::string& target) {
  entries_.push_back({.path = path, .content = {}, .type = '2', .link_target = target});
  return line(Json::object().set("_path", path).set("path_type", "softlink"));
}

TestPackage& TestPackage::hardlink(const std::string& path, const std::string& existing,
                                   const std::string& content) {
  file(path, content);
  entries_.back() = {.path = path, .content = {}, .type = '1', .link_target = existing};
  return *this;
}

TestPackage& TestPackage::directory(const std::string& path) {
  entries_.push_back({.path = path + "/", .content = {}, .type = '5', .mode = 0700});
  return line(Json::object().set("_path", path).set("path_type", "directory"));
}

TestPackage& TestPackage::set_mtime(const std::string& path, std::int64_t mtime_s) {
  for (TestEntry& entry : entries_) {
    if (entry.path == path) {
      entry.mtime_s = mtime_s;
    }
  }
  return *this;
}

TestPackage& TestPackage::unlisted(TestEntry entry) {
  entries_.push_back(std::move(entry));
  return *this;
}

TestPackage& TestPackage::line(Json json) {
  lines_.push_back(std::move(json));
  return *this;
}

TestPackage& TestPackage::info(const std::string& path, const std::string& content) {
  info_[path] = content;
  return *this;
}

TestPackage& TestPackage::noarch_python(const std::vector<std::string>& entry_points) {
  record_.noarch = conda::Noarch::kPython;
  record_.subdir = "noarch";
  Json list = Json::array();
  for (const std::string& one : entry_points) {
    list.push(one);
  }
  return info(
      "info/link.json",
      Json::object()
          .set("noarch", Json::object().set("type", "python").set("entry_points", std::move(list)))
          .set("package_metadata_version", 1)
          .dump());
}

std::vector<TestEntry> TestPackage::info_entries() const {
  std::map<std::string, std::string> files;
  files["info/index.json"] = Json::object()
                                 .set("name", record_.name)
                                 .set("version", record_.version)
                                 .set("build", record_.build)
                                 .set("build_number", 0)
                                 .dump();
  files["info/paths.json"] =
      Json::object().set("paths", Json(lines_)).set("paths_version", 1).dump();
  for (const auto& [path, content] : info_) {
    files[path] = content;
  }
  std::vector<TestEntry> entries;
  for (const auto& [path, content] : files) {
    if (!content.empty()) {
      entries.push_back({.path = path, .content = content});
    }
  }
  return entries;
}

std::string TestPackage::conda() const {
  const std::string dist = distribution_name(record_);
  return make_zip({{"metadata.json", R"({"conda_pkg_format_version": 2})"},
                   {"pkg-" + dist + ".tar.zst", make_zstd(make_tar(entries_))},
                   {"info-" + dist + ".tar.zst", make_zstd(make_tar(info_entries()))}});
}

std::string TestPackage::tar_bz2(bool info_last) const {
  std::vector<TestEntry> all = info_last ? entries_ : info_entries();
  for (const TestEntry& entry : info_last ? info_entries() : entries_) {
    all.push_back(entry);
  }
  return make_bzip2(make_tar(all));
}

conda::PackageRecord TestPackage::record() const { return record_; }

std::string TestPackage::write(const std::string& directory, bool as_tar_bz2) const {
  const std::string path =
      join_path(directory, distribution_name(record_) + (as_tar_bz2 ? ".tar.bz2" : ".conda"));
  std::ofstream(path, std::ios::binary) << (as_tar_bz2 ? tar_bz2() : conda());
  return path;
}

Status MemorySink::add(const std::string& path, Node node) {
  CHECK(open_ == nullptr);
  const std::string parent = parent_path(path);
  if (!parent.empty()) {
    CHECK(nodes_.contains(parent));
    CHECK(nodes_[parent].kind == 'd');
  }
  CHECK(nodes_.emplace(path, std::move(node)).second);
  return {};
}

Status MemorySink::directory(const std::string& path) {
  return add(path, {.kind = 'd', .mode = 0, .content = {}, .sha256 = {}});
}

Status MemorySink::file(const File& file) {
  TRY(add(file.path,
          {.kind = 'f', .mode = file.mode, .content = {}, .sha256 = {}, .mtime_s = file.mtime_s}));
  open_ = &nodes_[file.path];
  announced_ = file.size_bytes;
  return {};
}

Status MemorySink::content(std::string_view piece) {
  CHECK(open_ != nullptr);
  CHECK(!piece.empty());
  open_->content += piece;
  return {};
}

Status MemorySink::file_end(const std::string& sha256) {
  CHECK(open_ != nullptr);
  CHECK(open_->content.size() == announced_);
  CHECK(Digest::of(open_->content).hex() == sha256);
  open_->sha256 = sha256;
  open_ = nullptr;
  return {};
}

Status MemorySink::symlink(const std::string& path, const std::string& target) {
  return add(path, {.kind = 'l', .mode = 0, .content = target, .sha256 = {}});
}

Status MemorySink::hardlink(const std::string& path, const std::string& existing) {
  CHECK(nodes_.contains(existing));
  CHECK(nodes_[existing].kind == 'f');
  return add(path, {.kind = 'h', .mode = 0, .content = existing, .sha256 = {}});
}

std::string MemorySink::listing() const {
  std::string out;
  for (const auto& [path, node] : nodes_) {
    out += node.kind == 'f' ? fmt::format("f {:o} {} {}\n", node.mode, path, node.content)
                            : fmt::format("{} {} {}\n", node.kind, path, node.content);
  }
  return out;
}

Result<MemorySink> unpack(const std::string& archive, const conda::PackageRecord& record,
                          const Placement& placement) {
  MemorySink sink;
  PackageFiles files =
      TRY(PackageFiles::open(TRY(PackageArchive::open(archive)), record, placement));
  TRY(files.deliver(sink));
  return sink;
}

}  // namespace cloche::source
