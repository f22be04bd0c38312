// Azure ML v2 environment YAML, and our additions to it (pip_file, apt, environment_variables).
// docs/formats/azureml-v2.md describes every key.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "core/diagnostic.h"
#include "core/files.h"
#include "core/yaml.h"
#include "definition/asset_reference.h"
#include "definition/environment.h"

namespace cloche::definition {

// Largest environment YAML: the files that it names have limits of their own.
inline constexpr std::size_t kMaxAzuremlV2Bytes = std::size_t{512} << 10U;

// Reads the text of an environment YAML. Files that it names (conda_file, build.path, pip_file,
// apt) are relative to `file` and read through `files`. kInvalid: with file, line, key and the
// nearest valid key. kNotFound: a file that it names is missing. kUnsupported: something that only
// Azure's service can reach.
Result<Environment> parse_azureml_v2(std::string_view text, const std::string& file,
                                     FileSource& files, const ReadOptions& options,
                                     Diagnostics& diagnostics);

// The same from a node: an inline environment in a job file.
Result<Environment> read_azureml_v2_node(const YamlNode& node, const std::string& file,
                                         FileSource& files, const ReadOptions& options,
                                         Diagnostics& diagnostics);

// What stands under a job's `environment:`: a reference (file:PATH ones are not opened), or an
// environment of the job's own.
using EnvironmentUse = std::variant<AssetReference, Environment>;
Result<EnvironmentUse> read_environment_use(const YamlNode& node, const std::string& file,
                                            FileSource& files, const ReadOptions& options,
                                            Diagnostics& diagnostics);

// Files to write, by name relative to the environment YAML: "environment.yml", "conda.yml", ...
// Build-context files are not among them: the workspace has their content. Whoever writes them puts
// them below kWrittenContext, where the YAML looks for them.
using WrittenFiles = std::map<std::string, std::string>;
inline constexpr std::string_view kWrittenContext = "context";

// The YAML (under `main_name`) and the files that it names; parses to the same environment. A
// Dockerfile without files becomes a build context that holds nothing else.
WrittenFiles write_azureml_v2(const Environment& environment, const std::string& main_name);

}  // namespace cloche::definition
