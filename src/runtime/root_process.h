// Work that takes several users, done without being root of the machine.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "core/result.h"

namespace cloche::runtime {

// Where this process is root, runs the work here. Else in a child process that is root of a user
// namespace with the subordinate numbers of this user: files that it gives to others belong to
// those numbers, so whatever it leaves behind cannot be removed by this user. It sees the memory as
// it was, has none of our threads (so neither our pools nor our listeners of progress), and its
// stop token stops when ours does or when this process dies. To be called when no other thread
// holds a lock that the work takes.
// The result is at most 60 kB. kUnsupported: no namespaces here, or no numbers for other users.
Result<std::string> run_as_root(
    const std::function<Result<std::string>(const std::stop_token&)>& work,
    const std::stop_token& stop);

}  // namespace cloche::runtime
