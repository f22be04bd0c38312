// Packages made by hand, and a sink that keeps what it is given, for tests.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "package/conda/record.h"
#include "source/conda/package_files.h"

namespace cloche::source {

// One tar entry; `type` is tar's letter.
struct TestEntry {
  std::string path;
  std::string content;
  char type = '0';
  std::string link_target = {};
  std::uint32_t mode = 0644;
  std::int64_t mtime_s = 0;
};

std::string make_tar(const std::vector<TestEntry>& entries);
std::string make_zstd(std::string_view bytes);
std::string make_bzip2(std::string_view bytes);

// A ZIP file of stored members.
std::string make_zip(const std::vector<std::pair<std::string, std::string>>& members);

// A package under construction. index.json and paths.json are made from what was added, unless
// info() says otherwise.
class TestPackage {
 public:
  explicit TestPackage(std::string name, std::string version = "1.0", std::string build = "0");

  // A listed file, with what its line in paths.json says besides.
  TestPackage& file(const std::string& path, const std::string& content, std::uint32_t mode = 0644);
  TestPackage& placeholder(const std::string& path, const std::string& content,
                           const std::string& placeholder, const std::string& file_mode);
  TestPackage& symlink(const std::string& path, const std::string& target);
  TestPackage& hardlink(const std::string& path, const std::string& existing,
                        const std::string& content);
  TestPackage& directory(const std::string& path);

  // When the archive says that a path was last changed; otherwise at 0.
  TestPackage& set_mtime(const std::string& path, std::int64_t mtime_s);

  // An entry of the archive that paths.json does not list, or a line without an entry.
  TestPackage& unlisted(TestEntry entry);
  TestPackage& line(Json json);

  // A file below info/ in place of the one that would be made; "" leaves it out.
  TestPackage& info(const std::string& path, const std::string& content);
  TestPackage& noarch_python(const std::vector<std::string>& entry_points = {});

  std::string conda() const;
  std::string tar_bz2(bool info_last = false) const;
  conda::PackageRecord record() const;

  // Writes it into the directory and returns the path.
  std::string write(const std::string& directory, bool tar_bz2 = false) const;

 private:
  std::vector<TestEntry> info_entries() const;

  conda::PackageRecord record_;
  std::vector<TestEntry> entries_;
  Json::Array lines_;
  std::map<std::string, std::string> info_;
};

// Keeps everything, and fails where the promises of FileSink are broken.
class MemorySink : public FileSink {
 public:
  struct Node {
    char kind = 'f';  // f, d, l, h
    std::uint32_t mode = 0;
    std::string content;  // or a link's target
    std::string sha256;
    std::int64_t mtime_s = 0;
  };

  Status directory(const std::string& path) override;
  Status file(const File& file) override;
  Status content(std::string_view piece) override;
  Status file_end(const std::string& sha256) override;
  Status symlink(const std::string& path, const std::string& target) override;
  Status hardlink(const std::string& path, const std::string& existing) override;

  const std::map<std::string, Node>& nodes() const { return nodes_; }

  // "f 644 path content" or "l path target", a line for each, by path.
  std::string listing() const;

 private:
  Status add(const std::string& path, Node node);

  std::map<std::string, Node> nodes_;
  Node* open_ = nullptr;
  std::uint64_t announced_ = 0;
};

// The package's files as the sink has them.
Result<MemorySink> unpack(const std::string& archive, const conda::PackageRecord& record,
                          const Placement& placement);

}  // namespace cloche::source
