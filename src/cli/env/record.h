// What the env commands share: environments as records, and finding the one that is meant.
#pragma once

#include <string>
#include <string_view>

#include "cli/context.h"
#include "cli/report.h"
#include "core/json.h"
#include "definition/load.h"
#include "workspace/workspace.h"

namespace cloche::cli {

// The record of a version: who it is, what the workspace knows of it, and `definition`.
// docs/manual/cli.md lists the keys.
Json version_record(const workspace::EnvironmentVersion& entry);

// The same without the definition.
Json version_summary_record(const workspace::EnvironmentVersion& entry);

// "train:3"; the file's path for what was read from a file and has no name.
std::string shown_name(const workspace::EnvironmentVersion& entry);

// A reference on a command line to an environment, not to a file. kUsage instead of kInvalid where
// `file:` is used.
Result<definition::AssetReference> parse_environment_reference(const std::string& text);

// Loads what the request names, says its diagnostics, and turns the first error among them into
// this function's error.
Result<definition::Loaded> load_checked(const definition::LoadRequest& request, Context& context);

// A registered version, or what a file or directory says, as if it were registered without version.
// Text that holds '/' or '.' before any ':', or begins with "file:" or is "-", is a path; other
// text is a reference, and a path when there is no environment of that name but such a file.
struct Subject {
  workspace::EnvironmentVersion entry;
  bool from_file = false;
};
Result<Subject> find_subject(const std::string& text, Context& context);

}  // namespace cloche::cli
