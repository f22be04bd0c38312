#include "definition/dockerfile_steps.h"

#include <algorithm>

#include "definition/build_context.h"
#include "definition/dockerfile.h"

namespace cloche::definition {

std::optional<std::vector<std::string>> dockerfile_steps(std::string_view text) {
  Diagnostics ignored;
  const auto parsed = parse_dockerfile(text, "Dockerfile", ignored);
  if (!parsed) {
    return std::nullopt;
  }
  std::vector<std::string> steps;
  steps.reserve(parsed->instructions.size());
  for (const Instruction& instruction : parsed->instructions) {
    steps.push_back(instruction.canonical());
  }
  return steps;
}

std::vector<const ContextFile*> kept_files(const BuildContextBase& context) {
  const std::string dockerfile = normal_path(context.dockerfile_path);
  const auto copied = copied_files(context);
  std::vector<const ContextFile*> kept;
  for (const ContextFile& file : context.files) {
    if (file.path != dockerfile || std::ranges::find(copied, &file) != copied.end()) {
      kept.push_back(&file);
    }
  }
  return kept;
}

}  // namespace cloche::definition
