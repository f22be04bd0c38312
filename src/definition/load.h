// From whatever a person has to an Environment.
#pragma once

#include <optional>
#include <string>

#include "core/diagnostic.h"
#include "core/files.h"
#include "definition/environment.h"

namespace cloche::definition {

enum class Format {
  kCondaYaml,
  kRequirementsTxt,
  kAzuremlV2,
  kAzuremlV1,
  kDockerfile,
  kBuildContext,
  kImage
};

std::string_view to_string(
    Format format);  // "conda", "requirements", "azureml-v2", "azureml-v1", "dockerfile", ...

// What a path holds, by content first and by name second. kInvalid: none of the formats, with what
// was looked for.
Result<Format> detect_format(const std::string& path, FileSource& files);

// What the command line can say; each part given once. `file` is any of the formats; the others add
// to it or stand alone.
struct LoadRequest {
  std::string file;  // environment.yml, requirements.txt, Azure v2 YAML, v1 directory, Dockerfile,
                     // a directory
  std::string conda_file;                  // --conda-file
  std::string pip_file;                    // --pip
  std::vector<std::string> apt;            // --apt: names, or one file
  std::string image;                       // --image
  std::string build_context;               // --build-context
  std::string dockerfile_path;             // --dockerfile-path, in the context
  std::string name, version, description;  // win over the file's
  StringMap tags;                          // added to the file's
  StringMap environment_variables;         // added to the file's
};

struct Loaded {
  Environment environment;
  Format format = Format::kAzuremlV2;
  Diagnostics diagnostics;  // from reading; validate() (validate.h) adds more
};

// Reads everything that the request names and makes one environment. kInvalid: not exactly one of
// image, Dockerfile and build context (none at all gives the default image); a conda part on top of
// a Dockerfile or context; a malformed file; no name anywhere is allowed here (the caller decides).
Result<Loaded> load(const LoadRequest& request, FileSource& files, const ReadOptions& options);

}  // namespace cloche::definition
