#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.h"
#include "core/text.h"
#include "definition/dockerfile.h"

// What a parser promises about any text: lines within the file, canonical forms that are one line
// of UTF-8, stages that cover the instructions, and the same answer for the same lines with CRLF.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche::definition;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  cloche::Diagnostics diagnostics;
  const auto dockerfile = parse_dockerfile(text, "Dockerfile", diagnostics);
  if (!dockerfile.has_value()) {
    CHECK(!dockerfile.error().message.empty());
    return 0;
  }
  const auto lines = static_cast<int>(dockerfile->line_starts.size());
  for (const Instruction& instruction : dockerfile->instructions) {
    CHECK(instruction.at.line >= 1 && instruction.at.line <= instruction.last_line);
    CHECK(instruction.last_line <= lines);
    const std::string canonical = instruction.canonical();
    CHECK(cloche::is_valid_utf8(canonical) && !canonical.contains('\n'));
  }
  CHECK(!dockerfile->stages.empty());
  CHECK(dockerfile->stages.back().last == dockerfile->instructions.size());
  CHECK(stage_images(*dockerfile).size() == dockerfile->stages.size());

  if (!text.contains('\r')) {
    std::string crlf;
    for (const char c : text) {
      crlf.append(c == '\n' ? "\r\n" : std::string_view(&c, 1));
    }
    const auto same = parse_dockerfile(crlf, "Dockerfile", diagnostics);
    if (same.has_value()) {  // the file may have grown beyond a limit
      CHECK(same->instructions.size() == dockerfile->instructions.size());
      for (std::size_t i = 0; i < same->instructions.size(); ++i) {
        CHECK(same->instructions[i].canonical() == dockerfile->instructions[i].canonical());
      }
    }
  }
  return 0;
}
