// Small conda channels in memory, and what the provider and the solver make of them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "package/conda/record.h"
#include "resolve/solver.h"
#include "source/conda/provider.h"

namespace cloche::source {

// Channels and options from which as many providers as wanted can be made.
class TestChannels {
 public:
  ProviderOptions options;

  // A package: "name version" or "name version build" (the build defaults to "0") of a channel and
  // subdir, in the order in which channels are first named.
  conda::PackageRecord& add(const std::string& package, std::vector<std::string> depends = {},
                            std::vector<std::string> constrains = {},
                            const std::string& channel = "main",
                            const std::string& subdir = "linux-64");

  // A whole subdir as an index's bytes.
  TestChannels& add_index(const std::string& channel, std::string bytes);

  // The records of every subdir in another order.
  void shuffle(unsigned seed);

  std::unique_ptr<CondaProvider> provider() const;

 private:
  struct Subdir {
    std::string channel;
    std::string subdir;
    std::vector<std::unique_ptr<conda::PackageRecord>> records;
    std::string bytes;  // instead of records
  };
  Subdir& subdir(const std::string& channel, const std::string& name);
  std::vector<Subdir> subdirs_;
};

struct Asked {
  resolve::Request request;
  std::vector<resolve::RequirementId> relaxed;
};

// Fails the test where one is no MatchSpec.
Asked ask(CondaProvider& provider, const std::vector<std::string>& specs);

// "numpy 1.26.4 py312_0" for each package, sorted, joined by ", "; "none" where there is no
// solution; a solution that resolve::check_solution() refuses gives its complaint.
std::string solution_text(CondaProvider& provider, const std::vector<std::string>& specs);

// What resolve::explain() says, with the ways out as "works with ..." lines.
std::string explanation(CondaProvider& provider, const std::vector<std::string>& specs);

}  // namespace cloche::source
