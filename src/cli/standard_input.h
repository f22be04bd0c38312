// The disk, and standard input as one more file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/files.h"

namespace cloche::cli {

// Behind the path kStandardInput stands what this process is given to read; it is read once, at the
// first need. Every other path is `disk`'s.
class StandardInput : public FileSource {
 public:
  static constexpr const char* kName = "<stdin>";

  explicit StandardInput(FileSource& disk) : disk_(disk) {}

  Result<std::string> read(const std::string& path, std::size_t limit_bytes) override;
  Result<std::vector<FileEntry>> list(const std::string& directory) override;
  Result<Digest> digest(const std::string& path) override;
  Result<FileKind> kind(const std::string& path) override;

 private:
  Status fetch();

  FileSource& disk_;
  std::optional<std::string> text_;
};

// "-" on a command line means standard input.
std::string input_path(const std::string& path);

}  // namespace cloche::cli
