// What a Debian package holds, in short: all that a plan needs without the archive.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "io/tar_reader.h"
#include "source/debian/deb_archive.h"

namespace cloche::source {

struct DebPath {
  std::string path;  // plain, as the package has it: "bin/ls"
  io::TarKind kind = io::TarKind::kFile;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;

  bool operator==(const DebPath&) const = default;
};

struct DebContents {
  std::string control;                                              // its paragraph
  std::vector<std::pair<std::string, std::string>> conffiles = {};  // "/etc/a", md5; in their order
  std::string triggers = {};                                        // its file of this name
  std::vector<std::string> scripts = {};                            // "postinst", ...; sorted
  std::int64_t newest_s = 0;                                        // the youngest file's time
  std::vector<DebPath> paths = {};                                  // in the archive's order

  bool has_script(std::string_view name) const;
  bool operator==(const DebContents&) const = default;
};

// The text that is kept in a note (docs/formats/debian-segment.md), and back; nothing where it is
// damaged.
std::string print_contents(const DebContents& contents);
std::optional<DebContents> parse_contents(std::string_view text);

// Paths of conffiles(5): "/etc/a" a line. Those with a flag (remove-on-upgrade) are no files of the
// package and are left out. kInvalid: a path that is not absolute, or that debian_path() refuses.
Result<std::vector<std::string>> parse_conffiles(std::string_view text);

}  // namespace cloche::source
