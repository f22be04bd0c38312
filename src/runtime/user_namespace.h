// Being root of a namespace of users without being root of the machine (user_namespaces(7)).
#pragma once

#include "core/result.h"

namespace cloche::runtime {

struct UserMapping {
  bool in_user_namespace = false;  // false: we are root, and no namespace was made
  bool several_users = true;
};

// Puts this process, which has one thread, into a new user namespace as its root, where it is not
// root already. kUnsupported: the host does not allow it.
Result<UserMapping> become_root();

}  // namespace cloche::runtime
