// Being root of a namespace of users without being root of the machine (user_namespaces(7)).
#pragma once

#include "core/result.h"

namespace cloche::runtime {

struct UserMapping {
  bool in_user_namespace = false;  // false: we are root of the machine
  bool several_users = true;       // files and processes can be of others than root
};

// Puts this process, which has one thread, into a new user namespace as its root, where it is not
// root already. With numbers for other users where /etc/subuid, /etc/subgid and newuidmap(1) give
// some to this user, else alone. kUnsupported: the host does not allow it.
Result<UserMapping> become_root();

}  // namespace cloche::runtime
