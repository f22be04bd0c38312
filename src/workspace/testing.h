// Environments and workspaces for tests and benchmarks.
#pragma once

#include <string>
#include <vector>

#include "core/testing.h"
#include "definition/environment.h"
#include "io/temporary.h"
#include "workspace/workspace.h"

namespace cloche::workspace {

// A system-managed environment with these conda packages, each with a location.
definition::Environment conda_environment(const std::string& name,
                                          const std::vector<std::string>& packages);

// A build context whose files stand in `directory` (they are read and hashed).
definition::Environment context_environment(const std::string& name, const std::string& directory,
                                            const std::vector<std::string>& paths);

definition::AssetReference ref(const std::string& text);  // must be valid

// The value, which must be there: `for (x : value_of(f()))`, where `f().value()` would dangle.
template <class T>
T value_of(Result<T> result) {
  return std::move(result).value();
}

// A workspace in a directory of its own.
class TestWorkspace {
 public:
  TestWorkspace();

  Workspace& operator*() { return *workspace_; }
  Workspace* operator->() { return &*workspace_; }
  const std::string& path() const { return directory_.path(); }
  FakeClock& clock() { return clock_; }

  // Another connection to the same directory, as another process has it.
  Result<Workspace> open_again(const std::string& user = "grace");
  void close() { workspace_.reset(); }
  void reopen();

 private:
  io::TemporaryDirectory directory_;
  FakeClock clock_;
  std::optional<Workspace> workspace_;
};

}  // namespace cloche::workspace
