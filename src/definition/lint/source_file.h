// The files that a lint speaks of: their text, and the way between bytes and lines.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/location.h"

namespace cloche::definition {

class SourceFile {
 public:
  SourceFile(std::string name, std::string text);

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }

  // The line (from 1) without its end; "" beyond the last.
  std::string_view line(int number) const;
  int line_count() const { return static_cast<int>(starts_.size()); }

  // Line and column (in bytes) of a byte, and back; places beyond the end are the end.
  Location location(std::size_t offset) const;
  std::size_t offset(int line, int column) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<std::size_t> starts_;  // of each line
};

// Reads each file once. A file that cannot be read is an empty one: lint then shows no excerpt.
class Sources {
 public:
  explicit Sources(FileSource& files) : files_(files) {}

  const SourceFile& get(const std::string& name);
  const SourceFile& add(const std::string& name, std::string text);
  FileSource& files() { return files_; }

 private:
  FileSource& files_;
  std::map<std::string, SourceFile> known_;
};

}  // namespace cloche::definition
