// The root file system that directories laid over each other would give, looked at without mounting
// it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "core/result.h"

namespace cloche::build {

// Whiteouts are overlayfs's. No symbolic link is followed, not in the middle of a path either: what
// lies behind one is not found. Any thread.
class LowerRoot {
 public:
  // The lowest first, as UnpackedLayers gives them.
  explicit LowerRoot(std::vector<std::string> directories) : directories_(std::move(directories)) {}

  bool empty() const { return directories_.empty(); }

  // What is at a plain relative path; nothing where nothing is.
  std::optional<struct stat> look(const std::string& path) const;

  // A regular file's content. kNotFound: there is none; kInvalid: larger than the limit.
  Result<std::string> read(const std::string& path, std::size_t limit_bytes) const;

  // A symbolic link's target; nothing where there is no link.
  std::optional<std::string> link_target(const std::string& path) const;

  // The names in a directory, sorted.
  std::vector<std::string> list(const std::string& path) const;

 private:
  std::optional<std::string> find(const std::string& path) const;

  std::vector<std::string> directories_;
};

}  // namespace cloche::build
