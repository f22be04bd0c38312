// Fakes and helpers for tests of every module.
#pragma once

#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/files.h"
#include "core/result.h"

namespace cloche {

// Files in memory. Directories exist when something stands below them.
class MemoryFiles : public FileSource {
 public:
  MemoryFiles& add(const std::string& path, std::string content, std::uint32_t mode = 0644);
  MemoryFiles& add_link(const std::string& path, std::string target);
  MemoryFiles& remove(const std::string& path);

  Result<std::string> read(const std::string& path, std::size_t limit_bytes) override;
  Result<std::vector<FileEntry>> list(const std::string& directory) override;
  Result<Digest> digest(const std::string& path) override;
  Result<FileKind> kind(const std::string& path) override;

 private:
  struct Node {
    FileEntry entry;
    std::string content;
  };
  std::map<std::string, Node> nodes_;
};

// A clock that stands still until it is told.
class FakeClock : public Clock {
 public:
  explicit FakeClock(std::int64_t ms = 1'800'000'000'000) : ms_(ms) {}
  std::int64_t now_ms() override { return ms_; }
  void advance_ms(std::int64_t ms) { ms_ += ms; }

 private:
  std::int64_t ms_;
};

// Where this checkout stands: what the macros CLOCHE_SOURCE_DIR and CLOCHE_TESTDATA are made of.
std::string source_dir();

// Compares `actual` with the file testdata/NAME of the module under test; with CLOCHE_ACCEPT=1 in
// the environment it rewrites the file instead. `testdata` is the macro CLOCHE_TESTDATA.
void expect_golden(const std::string& testdata, const std::string& name, const std::string& actual);

// A file of the shared data folder ("definitions/conda.jsonl") when it stands beside the project,
// else "": tests that need it skip themselves.
std::string shared_data(const std::string& source_dir, const std::string& path);

// What a Python script prints for `input` on its standard input, run by the system's own Python,
// whose libraries are the judges of what files mean; nothing where it fails (a module is missing).
std::optional<std::string> python_output(const std::string& script, const std::string& input);

}  // namespace cloche

// The value of a Result in a test, or a failure that prints the error.
#define ASSERT_VALUE(variable, ...)                                                    \
  auto variable##_result = (__VA_ARGS__);                                              \
  ASSERT_TRUE(variable##_result.has_value())                                           \
      << (variable##_result.has_value() ? "" : variable##_result.error().to_string()); \
  auto& variable = *variable##_result
