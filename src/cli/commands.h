// Every command there is.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace cloche::cli {

struct Noun {
  std::string_view name;     // "env"
  std::string_view summary;  // "environments: create, look up, compare, share"
};

std::span<const Noun> nouns();
std::span<const Command* const> commands();  // in the order of help

// The command that the words begin with, and how many of them are its name.
struct Found {
  const Command* command = nullptr;
  std::size_t words = 0;
};

// kUsage: no such noun or verb (the nearest in the hint), or a verb is missing.
Result<Found> find_command(std::span<const std::string_view> words);

}  // namespace cloche::cli
