// Debian packages made by hand, for tests.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/tar_testing.h"

namespace cloche::source {

// An ar archive of these members, nothing checked.
std::string make_ar(const std::vector<std::pair<std::string, std::string>>& members);

// `bytes` through xz, zstd, gzip ("xz", "zst", "gz"), or as they are ("").
std::string make_compressed(std::string_view bytes, std::string_view ending);

// A package under construction. The control file is made from name and version, unless control()
// gives one.
class TestDeb {
 public:
  explicit TestDeb(std::string name, std::string version = "1.0", std::string architecture = "all");

  TestDeb& file(const std::string& path, const std::string& content, std::uint32_t mode = 0644);
  TestDeb& directory(const std::string& path, std::uint32_t mode = 0755);
  TestDeb& symlink(const std::string& path, const std::string& target);
  TestDeb& hardlink(const std::string& path, const std::string& existing);
  // An entry of the data member as it is.
  TestDeb& entry(io::TestTarEntry entry);

  // A control file: "postinst" and its like may be executed.
  TestDeb& control(const std::string& name, const std::string& content);
  // A line of the control file: "Depends: a".
  TestDeb& field(const std::string& line);
  TestDeb& compression(const std::string& ending);  // of the members; xz when nothing is said

  const std::string& name() const { return name_; }
  std::string bytes() const;

  // Writes it into the directory as NAME_VERSION_ARCHITECTURE.deb and returns the path.
  std::string write(const std::string& directory) const;

 private:
  std::string name_;
  std::string version_;
  std::string architecture_;
  std::string ending_ = "xz";
  std::string fields_;
  std::vector<io::TestTarEntry> entries_;
  std::vector<io::TestTarEntry> control_;
};

}  // namespace cloche::source
