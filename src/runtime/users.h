// The user that an image's config names, looked up in the root file system's own files.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "runtime/bundle.h"

namespace cloche::runtime {

// `user`: "name", "uid", either with ":group" or ":gid" (OCI image-spec, config.md, "User"); "":
// root. The texts are of /etc/passwd and /etc/group, "" where there are none; lines that are no
// entries are passed over. A number needs no entry; then the group is 0. kNotFound: no such name.
Result<ProcessUser> find_user(std::string_view user, std::string_view passwd,
                              std::string_view group);

}  // namespace cloche::runtime
