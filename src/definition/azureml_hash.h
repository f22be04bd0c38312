// The version that Azure's own client gives an anonymous environment, so that their SDK finds the
// same one here.
#pragma once

#include <string>

#include "core/files.h"
#include "definition/environment.h"

namespace cloche::definition {

// md5 seeded with "Initialize for october 2021 AML CLI version", entries sorted by lower-cased
// name, name bytes then content, recursive; .amlignore (else .gitignore) at the root is honoured.
Result<std::string> azureml_directory_hash(const std::string& directory, FileSource& files);

// The anonymous version: md5 of image and conda file, or of the upload's hash (and the Dockerfile's
// path).
Result<std::string> azureml_anonymous_version(const Environment& environment,
                                              const std::string& conda_text, FileSource& files);

}  // namespace cloche::definition
