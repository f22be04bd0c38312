// The version that Azure's own client gives an anonymous environment, so that their SDK finds the
// same one here. Source: azure-ai-ml, _utils/_asset_utils.py (get_object_hash) and
// entities/_assets/environment.py (_generate_anonymous_name_version).
#pragma once

#include <string>

#include "core/files.h"
#include "definition/environment.h"

namespace cloche::definition {

// md5 over "Initialize for october 2021 AML CLI version" and then, for each entry of the directory
// in the order of lower-cased names: its name, and the content of a file or the entries of a
// directory. Links are followed. .amlignore (else .gitignore) at the root leaves entries out; what
// it names is relative to the root. Names that differ only in case keep the order of their bytes,
// and only ASCII letters are lowered (the client's order of such names is that of the disk).
// kNotFound: no directory. kInvalid: over 1,000,000 entries, nested deeper than 100 (a link that
// leads back), a malformed ignore file.
Result<std::string> azureml_directory_hash(const std::string& directory, FileSource& files);

// The anonymous version. With M(x) the md5 of a text as 32 hex digits, and J(s, t) the characters
// of t with s between each two:
//   an image alone                M(M(image))
//   an image and a conda file     M(J(M(image), M(yaml)))     yaml: pyyaml_dump() of the conda file
//   a build context               M(M(H))                     H: azureml_directory_hash()
//   ... with a dockerfile_path    M(J(M(H), M(dockerfile_path)))
// `conda_text` is the text of the conda file, "" for none. The Dockerfile's usual name counts as
// not given. kUnsupported: what has no version of this kind in Azure: our own additions, an
// inference configuration (the client hashes the names of its own Python classes), a remote build
// context, a Dockerfile without a context. kInvalid: the conda text is no YAML mapping.
Result<std::string> azureml_anonymous_version(const Environment& environment,
                                              const std::string& conda_text, FileSource& files);

}  // namespace cloche::definition
