#include <algorithm>

#include "core/text.h"
#include "definition/dockerfile.h"

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxArguments = 1'000;  // more are an attack, not a Dockerfile

// Variables that FROM may use: ARGs before the first FROM.
struct GlobalArguments {
  Variables known;
  bool complete = true;
};

// "" where a variable in it has no value: then the image is not known.
std::string expand_known(std::string_view word, const GlobalArguments& arguments, char escape) {
  std::vector<std::string> unset;
  auto expanded = expand_word(word, arguments.known, escape, &unset);
  return expanded.has_value() && unset.empty() && arguments.complete ? *expanded : std::string();
}

GlobalArguments read_arguments(const Dockerfile& dockerfile, const Variables& build_args) {
  GlobalArguments out;
  std::size_t count = 0;
  for (const Instruction& instruction : dockerfile.instructions) {
    if (instruction.kind == InstructionKind::kFrom) {
      break;
    }
    for (const auto& [name, value] : instruction.pairs) {
      if (++count > kMaxArguments) {
        out.complete = false;
        return out;
      }
      const auto given = build_args.find(name);
      if (given != build_args.end()) {
        out.known[name] = given->second;
      } else if (value) {
        auto expanded = expand_word(*value, out.known, instruction.escape);
        if (expanded.has_value()) {
          out.known[name] = *expanded;
        }
      }
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> stage_images(const Dockerfile& dockerfile, const Variables& build_args) {
  const GlobalArguments arguments = read_arguments(dockerfile, build_args);
  std::vector<std::string> images;
  std::map<std::string, std::string> by_name;  // earlier stages
  for (const Stage& stage : dockerfile.stages) {
    const char escape = dockerfile.instructions.at(stage.first).escape;
    std::string image = expand_known(stage.image, arguments, escape);
    if (const auto earlier = by_name.find(to_lower(image)); earlier != by_name.end()) {
      image = earlier->second;
    }
    if (!stage.name.empty()) {
      by_name[stage.name] = image;
    }
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace cloche::definition
