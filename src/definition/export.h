// Any environment written in any of the formats.
#pragma once

#include <optional>
#include <string>

#include "core/diagnostic.h"
#include "definition/azureml_v2.h"
#include "definition/load.h"

namespace cloche::definition {

// The files of the export by their usual names, relative to one folder: "environment.yml" (conda;
// Azure ML v2, with the files that it names), "requirements.txt", "azureml_environment.json" and
// its companions, "Dockerfile" (kDockerfile and kBuildContext: it builds the same thing elsewhere
// with public tools, and the files it copies are there). Loading them gives the same definition
// again, but for what `diagnostics` names: what the format has no place for is left out with a
// warning (rules "export-loses-..."), what only describes the environment with a note.
// kUnsupported: the format can say nothing of it, or nothing that would be right.
Result<WrittenFiles> export_environment(const Environment& environment, Format format,
                                        Diagnostics& diagnostics);

// Where, relative to the export's folder, the files of a local build context must be put for the
// export to be whole (Workspace::restore_context()): their content is the workspace's, not the
// definition's. Nothing when the written files are all there is.
std::optional<std::string> context_folder(const Environment& environment, Format format);

}  // namespace cloche::definition
