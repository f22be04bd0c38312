// The seam between the pure modules and the disk: definitions name other files (-r, conda_file, a
// build context), and whoever parses them receives a FileSource to read those through.
// io/disk_files.h is the real one; core/testing.h has MemoryFiles for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "core/result.h"

namespace cloche {

enum class FileKind { kFile, kDirectory, kSymlink, kOther };

struct FileEntry {
  std::string name;  // one path component, as bytes
  FileKind kind = FileKind::kFile;
  std::uint32_t mode = 0;        // permission bits, 07777
  std::uint64_t size_bytes = 0;  // files only
  std::string link_target;       // symlinks only
};

class FileSource {
 public:
  virtual ~FileSource() = default;

  // The whole content. kNotFound; kInvalid: a directory, or larger than the limit.
  virtual Result<std::string> read(const std::string& path, std::size_t limit_bytes) = 0;

  // A file's content in parts of any size, for what is too large to be held whole.
  virtual Status read_parts(const std::string& path,
                            const std::function<void(std::string_view)>& take);

  // What stands directly in a directory, sorted by name's bytes; links are not followed.
  virtual Result<std::vector<FileEntry>> list(const std::string& directory) = 0;

  // sha256 of a file's content, streamed.
  virtual Result<Digest> digest(const std::string& path) = 0;

  // What the path is, links followed; kNotFound.
  virtual Result<FileKind> kind(const std::string& path) = 0;
};

// Largest text file that any parser reads: generous for people, small for attackers.
inline constexpr std::size_t kMaxTextBytes = std::size_t{4} << 20U;

// Path arithmetic on POSIX paths, without touching a disk.
std::string join_path(std::string_view directory, std::string_view path);  // an absolute path wins
std::string parent_path(std::string_view path);                            // "" for "a.txt"
std::string_view base_name(std::string_view path);
std::string normal_path(std::string_view path);  // no ".", no "a/..", no doubled or final slash

}  // namespace cloche
