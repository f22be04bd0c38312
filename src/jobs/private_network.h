// A network for the instances of one job and nobody else: a network namespace each, joined by a
// bridge in one more. Nothing of it is seen in the host's own network.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"

namespace cloche::jobs {

struct PrivateNetwork {
  std::vector<std::string> addresses;  // of the instances, in order
  std::vector<std::string> paths;      // of their namespaces
};

// Makes it with ip(8), after what an earlier attempt left is gone. `id` is launch_id()'s form.
// kUnsupported: this user may not, or the program ip is not there.
Result<PrivateNetwork> make_private_network(const std::string& id, int instances);

// Removes it; nothing when it is not there.
void remove_private_network(const std::string& id, int instances);

}  // namespace cloche::jobs
