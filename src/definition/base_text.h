// Bases that are written as one text: an image's name, a remote build context's URL. Shared by the
// formats and by the command line.
#pragma once

#include <string>
#include <string_view>

#include "core/location.h"
#include "core/result.h"
#include "definition/environment.h"

namespace cloche::definition {

// kInvalid, at `at`: not an image reference; a template's placeholder.
Result<ImageBase> read_image_text(std::string_view text, const Location& at);

// Whether a build context's path is a URL: "https://...", "git@host:...", "azureml://...".
bool is_remote_context(std::string_view path);

// kUnsupported: a scheme that only Azure's service can reach. kInvalid: a bad dockerfile_path,
// a password in the URL.
Result<BuildContextBase> remote_build_context(std::string_view uri,
                                              const std::string& dockerfile_path);

}  // namespace cloche::definition
