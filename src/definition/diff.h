// What changed between two environments, package by package.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "definition/environment.h"

namespace cloche::definition {

enum class ChangeKind { kAdded, kRemoved, kChanged, kMoved };

std::string_view to_string(ChangeKind kind);  // "added", "removed", "changed", "moved"

struct Change {
  // "image", "dockerfile" (its instructions; its path), "context" (files; a remote one's "uri"),
  // "channels" (and "nodefaults"), "platforms", "conda", "pip", "apt", "variables",
  // "conda-variables", "inference", "os".
  std::string section;
  ChangeKind kind = ChangeKind::kChanged;
  // "numpy" (in its ecosystem's normal form), "--index-url", "constraint urllib3", a file's path, a
  // variable's name, "RUN".
  std::string name;
  // "numpy=1.26"; "" when added. kMoved: the place in its list, from 1. Passwords are hidden, so
  // both may look the same where only a password changed.
  std::string before;
  std::string after;  // "" when removed

  bool operator==(const Change&) const = default;
};

// In the order of the sections above; packages, files and variables by name, channels and
// instructions as they stand. Empty exactly where same_definition() says so.
std::vector<Change> diff(const Definition& before, const Definition& after);

}  // namespace cloche::definition
