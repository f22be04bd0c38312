// Azure ML v1: a directory with azureml_environment.json, conda_dependencies.yml and, perhaps,
// BaseDockerfile. docs/formats/azureml-v1.md describes every key.
#pragma once

#include <string>
#include <string_view>

#include "core/diagnostic.h"
#include "core/files.h"
#include "definition/azureml_v2.h"
#include "definition/environment.h"

namespace cloche::definition {

inline constexpr std::string_view kAzuremlV1File = "azureml_environment.json";
inline constexpr std::string_view kAzuremlV1CondaFile = "conda_dependencies.yml";
inline constexpr std::string_view kAzuremlV1Dockerfile = "BaseDockerfile";

inline constexpr std::size_t kMaxAzuremlV1Bytes = std::size_t{512} << 10U;

// Reads what Environment.save_to_directory() of the v1 SDK wrote. userManagedDependencies true: the
// conda part is left out, with a note, as Azure ignores it. A password or token in the file is
// dropped, with a warning. What the entity does not model is kept in Definition::azureml_v1, in its
// order.
Result<Environment> load_azureml_v1(const std::string& directory, FileSource& files,
                                    const ReadOptions& options, Diagnostics& diagnostics);

// The same files with the same keys in the same order (indent 4). Never a password. pip packages
// without a conda part get one of their own (python and pip), since v1 has no other place for them.
// kUnsupported: the definition has something v1 cannot say (apt packages, a build context,
// inference routes).
Result<WrittenFiles> write_azureml_v1(const Environment& environment);

// pip packages alone, where a format keeps them in a conda file: python and pip from conda (as the
// SDK's from_pip_requirements does).
CondaSection conda_around_pip();

}  // namespace cloche::definition
