// pip's requirements files: the whole grammar of "Requirements File Format" (pip documentation) and
// of pip's req_file.py, as lines in canonical form. docs/formats/requirements.md.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/diagnostic.h"
#include "core/files.h"
#include "definition/environment.h"

namespace cloche::definition {

// Reads a requirements file (its bytes: the encoding is found out as pip does), with the files it
// includes by -r and -c (relative to itself; cycles refused, depth limited) in their place. A
// remote include (https://...), one named by a ${VARIABLE}, and an absolute one that is not on this
// machine (a path inside the base image), stay as option lines, with a warning. ${VARIABLES} stay
// as they are; a literal password in a URL is a warning. What pip ignores without a word is left
// out with a warning. kInvalid: a malformed line, with line, caret and hint. kNotFound: a relative
// included file is missing.
Result<PipSection> parse_requirements_txt(std::string_view text, const std::string& file,
                                          FileSource& files, Diagnostics& diagnostics);

// The lines of a conda file's pip section, by the same rules: each item is one line (or several, as
// conda writes them to a requirements file) with its own location; relative includes are relative
// to `file`. Places are counted from the item's; the caller adds the excerpts (core/excerpt.h).
struct PipItem {
  std::string text;
  Location at;
};
Result<PipSection> parse_pip_items(const std::vector<PipItem>& items, const std::string& file,
                                   FileSource& files, Diagnostics& diagnostics);

// The lines of a requirements file or a conda file's pip section that parse to the same lines
// again. Each run of constraints becomes "-c constraints.txt" ("-c constraints-2.txt", ...): they
// need those files, see write_constraint_files.
std::vector<std::string> write_pip_items(const PipSection& pip);

// The same as a file's text.
std::string write_requirements_txt(const PipSection& pip);

// The files that the written lines name, by their names; none when there are no constraints.
std::map<std::string, std::string> write_constraint_files(const PipSection& pip);

}  // namespace cloche::definition
