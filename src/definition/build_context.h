// A directory with a Dockerfile, read as the list of files that a build could copy.
#pragma once

#include <string>

#include "core/diagnostic.h"
#include "core/files.h"
#include "definition/environment.h"

namespace cloche::definition {

// Walks the directory after <dockerfile>.dockerignore or .dockerignore, hashes every file that is
// left, reads the Dockerfile. Links are recorded, not followed. A Dockerfile and .dockerignore are
// always among the files. kNotFound: no directory, no Dockerfile. kInvalid: over 1,000,000 files,
// or a Dockerfile that does not parse.
Result<BuildContextBase> read_build_context(const std::string& directory,
                                            const std::string& dockerfile_path, FileSource& files,
                                            Diagnostics& diagnostics);

// The files that the Dockerfile's COPY, ADD and RUN --mount=type=bind can reach: what its image
// depends on. All of them, when a source cannot be known without building (it holds a variable).
std::vector<const ContextFile*> copied_files(const BuildContextBase& context);

}  // namespace cloche::definition
