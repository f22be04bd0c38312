// Python sources of packages, written out so that an interpreter can compile them, and its bytecode
// read back.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/result.h"
#include "io/descriptor.h"
#include "io/directory_tree.h"
#include "source/conda/link_ways.h"
#include "source/conda/package_files.h"

namespace cloche::source {

// Of a package's files, writes the wanted ones; their times are the package's. One thread.
class PythonSources : public FileSink {
 public:
  // `directory` is there and empty. `wanted`: where the sources lie; `ways`: of the package's
  // paths. All outlive it.
  static Result<PythonSources> create(const std::string& directory,
                                      const std::vector<std::string>& wanted, const LinkWays& ways,
                                      const std::stop_token& stop);

  Status directory(const std::string& /*path*/) override { return {}; }
  Status file(const File& file) override;
  Status content(std::string_view piece) override;
  Status file_end(const std::string& sha256) override;
  Status symlink(const std::string& /*path*/, const std::string& /*target*/) override { return {}; }
  Status hardlink(const std::string& /*path*/, const std::string& /*existing*/) override {
    return {};
  }

  // What was written, sorted.
  std::vector<std::string> paths() const;

 private:
  PythonSources(io::DirectoryTree tree, const std::vector<std::string>& wanted,
                const LinkWays& ways, const std::stop_token& stop)
      : tree_(std::move(tree)), wanted_(wanted.begin(), wanted.end()), ways_(ways), stop_(stop) {}
  Status make_directories(const std::string& path);

  io::DirectoryTree tree_;
  std::unordered_set<std::string_view> wanted_;
  const LinkWays& ways_;
  const std::stop_token& stop_;
  std::unordered_set<std::string> directories_;
  std::vector<std::string> written_;
  io::Descriptor open_;  // the file that is being written; invalid: it is not wanted
  std::int64_t mtime_s_ = 0;
};

// The bytecode beside the sources in `directory`, where strangers' code has run meanwhile: nothing
// outside is read, and only plain files. By path; sources that have none are left out.
// kInvalid: bytecode of a size that is not believable.
Result<std::map<std::string, std::string>> read_bytecode(const std::string& directory,
                                                         const std::vector<std::string>& sources,
                                                         std::string_view tag);

}  // namespace cloche::source
