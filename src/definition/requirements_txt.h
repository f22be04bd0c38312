// pip's requirements files: the whole grammar of "Requirements File Format" (pip documentation) and
// of pip's req_file.py, as lines in canonical form.
#pragma once

#include <string>
#include <string_view>

#include "core/diagnostic.h"
#include "core/files.h"
#include "definition/environment.h"

namespace cloche::definition {

// Reads a requirements file, with the files it includes by -r and -c (relative to itself; cycles
// refused, depth limited) in their place. A remote include (https://...), and an absolute one that
// is not on this machine (a path inside the base image), stay as option lines, with a warning.
// ${VARIABLES} stay as they are. kInvalid: a malformed line, with line, caret and hint. kNotFound:
// a relative included file is missing.
Result<PipSection> parse_requirements_txt(std::string_view text, const std::string& file,
                                          FileSource& files, Diagnostics& diagnostics);

// The lines of a conda file's pip section, by the same rules: each item is one logical line with
// its own location; relative includes are relative to `file`.
struct PipItem {
  std::string text;
  Location at;
};
Result<PipSection> parse_pip_items(const std::vector<PipItem>& items, const std::string& file,
                                   FileSource& files, Diagnostics& diagnostics);

// A requirements file that parses to the same lines.
std::string write_requirements_txt(const PipSection& pip);

}  // namespace cloche::definition
