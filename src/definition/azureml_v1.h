// Azure ML v1: a directory with azureml_environment.json, conda_dependencies.yml and, perhaps,
// BaseDockerfile.
#pragma once

#include <string>

#include "core/diagnostic.h"
#include "core/files.h"
#include "definition/azureml_v2.h"
#include "definition/environment.h"

namespace cloche::definition {

// Reads what Environment.save_to_directory() of the v1 SDK wrote. userManagedDependencies true: the
// conda part is left out, with a note, as Azure ignores it. A password in the file is dropped, with
// a warning.
Result<Environment> load_azureml_v1(const std::string& directory, FileSource& files,
                                    const ReadOptions& options, Diagnostics& diagnostics);

// The same files with the same keys in the same order (indent 4). Never a password.
// kUnsupported: the definition has something v1 cannot say (apt packages, a build context).
Result<WrittenFiles> write_azureml_v1(const Environment& environment);

}  // namespace cloche::definition
