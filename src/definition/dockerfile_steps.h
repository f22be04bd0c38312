// A Dockerfile as what identifies it: its instructions in canonical form.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "definition/environment.h"

namespace cloche::definition {

// Instruction::canonical() of each instruction; nothing when the text is no Dockerfile (readers
// refuse such texts, so only hand-made definitions hold one).
std::optional<std::vector<std::string>> dockerfile_steps(std::string_view text);

// What a version keeps of a context beyond its steps: every file, without the Dockerfile itself
// where no instruction copies it (its steps say what it means, whatever its comments say).
std::vector<const ContextFile*> kept_files(const BuildContextBase& context);

}  // namespace cloche::definition
