#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/testing.h"
#include "definition/command_job.h"
#include "definition/command_template.h"

// Whatever is read has a command whose places are all there.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche;              // NOLINT: a fuzz target is one function
  using namespace cloche::definition;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  MemoryFiles files;
  files.add("conda.yml", "dependencies: [python=3.11]\n");
  Diagnostics diagnostics;
  const auto job = parse_command_job(text, "job.yml", files, {}, diagnostics);
  if (!job.has_value()) {
    static_cast<void>(job.error().to_string());
    return 0;
  }
  const auto pieces = split_command(job->command);
  if (!pieces || !check_command(*job) || job->command.empty()) {
    std::abort();
  }
  std::string again;
  for (const CommandPiece& piece : *pieces) {
    if (piece.offset > job->command.size()) {
      std::abort();
    }
    again += piece.text;
  }
  return again.size() > job->command.size() ? (std::abort(), 0) : 0;
}
