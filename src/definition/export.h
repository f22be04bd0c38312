// Any environment written in any of the formats.
#pragma once

#include <string>

#include "core/diagnostic.h"
#include "definition/azureml_v2.h"
#include "definition/load.h"

namespace cloche::definition {

// The files of the export by their usual names (environment.yml, requirements.txt,
// azureml_environment.json, Dockerfile, ...). Losses (apt packages in a conda file) are warnings.
// kUnsupported: the format cannot say it at all. For kDockerfile a Dockerfile (and the files it
// copies) that builds the same thing elsewhere with public tools.
Result<WrittenFiles> export_environment(const Environment& environment, Format format,
                                        Diagnostics& diagnostics);

}  // namespace cloche::definition
