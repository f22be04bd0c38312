// Azure ML v2 environment YAML, and our additions to it (pip_file, apt, environment_variables).
#pragma once

#include <string>
#include <string_view>

#include "core/diagnostic.h"
#include "core/files.h"
#include "core/yaml.h"
#include "definition/environment.h"

namespace cloche::definition {

// Reads the text of an environment YAML. Files that it names (conda_file, build.path, pip_file,
// apt) are relative to `file` and read through `files`. kInvalid: with file, line, key and the
// nearest valid key.
Result<Environment> parse_azureml_v2(std::string_view text, const std::string& file,
                                     FileSource& files, const ReadOptions& options,
                                     Diagnostics& diagnostics);

// The same from a node: an inline environment in a job file.
Result<Environment> read_azureml_v2_node(const YamlNode& node, const std::string& file,
                                         FileSource& files, const ReadOptions& options,
                                         Diagnostics& diagnostics);

// Files to write, by name relative to the environment YAML: "environment.yml", "conda.yml", ...
// Build-context files are not among them: the workspace has their content.
using WrittenFiles = std::map<std::string, std::string>;

// The YAML (under `main_name`) and the files that it names; parses to the same environment.
WrittenFiles write_azureml_v2(const Environment& environment, const std::string& main_name);

}  // namespace cloche::definition
