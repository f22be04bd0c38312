// conda's environment.yml (CEP 24), read and written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/diagnostic.h"
#include "core/files.h"
#include "core/yaml.h"
#include "definition/environment.h"

namespace cloche::definition {

struct CondaYaml {
  CondaSection conda;
  std::optional<PipSection> pip;  // the pip: section, wherever it stood, with -r files in place
};

// Reads the text of an environment.yml. `file` names it in errors and is what relative -r paths of
// the pip section are relative to; `files` reads those. Unknown keys, an ignored prefix, missing
// channels and the like go to `diagnostics`, 200 at most. kInvalid, with line, excerpt and hint:
// not a conda environment file. kNotFound: a file that the pip section includes.
Result<CondaYaml> parse_conda_yaml(std::string_view text, const std::string& file,
                                   FileSource& files, const ReadOptions& options,
                                   Diagnostics& diagnostics);

// The same from a node that was parsed already: an inline mapping under `conda_file:` (no `#
// [linux]` selectors there; sel(...) works).
Result<CondaYaml> read_conda_node(const YamlNode& node, const std::string& file, FileSource& files,
                                  const ReadOptions& options, Diagnostics& diagnostics);

// An environment.yml that parses to the same sections. Selectors are written as sel(...): items.
// Constraints need the files of write_constraint_files (requirements_txt.h) beside it.
std::string write_conda_yaml(const CondaSection& conda, const std::optional<PipSection>& pip);

}  // namespace cloche::definition
