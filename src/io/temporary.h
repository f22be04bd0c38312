// Names for work in progress, removed by their owner's destructor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "io/descriptor.h"

namespace cloche::io {

// A new file under an unguessable name that begins with ".cloche-" (a person who finds one after a
// crash may delete it). Unless it was renamed or linked into place, it is gone with this object.
class TemporaryFile {
 public:
  // The permissions are `mode` less the umask.
  static Result<TemporaryFile> create(const std::string& directory, std::uint32_t mode = 0644);
  ~TemporaryFile();
  TemporaryFile(TemporaryFile&& other) noexcept;
  TemporaryFile& operator=(TemporaryFile&&) = delete;

  const std::string& path() const { return path_; }
  Status write(std::string_view bytes) { return write_all(file_, bytes, path_); }

  // Ends the writing and frees the descriptor; the file stays as long as this object.
  void close() { file_.close(); }

  // Syncs, closes, takes the name `target` (replacing what had it) and syncs the target's folder.
  Status rename_to(const std::string& target) &&;

 private:
  TemporaryFile(std::string path, Descriptor file);

  std::string path_;  // "" once renamed
  Descriptor file_;
};

// A new empty directory (mode 0700), removed with all that is in it.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> create(const std::string& parent = "");  // "": $TMPDIR or /tmp
  ~TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

// The directory for what is not kept: `wanted`, or when that is "", $TMPDIR or /tmp.
std::string temporary_place(const std::string& wanted);

// 16 hex digits that nobody can guess.
std::string random_name();

}  // namespace cloche::io
