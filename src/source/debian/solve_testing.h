// A small archive of Debian packages and a base, for tests.
#pragma once

#include <string>
#include <vector>

#include "source/debian/solve.h"

namespace cloche::source {

class SmallArchive {
 public:
  // `fields` are further lines of the paragraph, each with its line end.
  SmallArchive& add(const std::string& name, const std::string& version,
                    const std::string& fields = "");
  // What is added from now on belongs to another suite.
  void next_source(const std::string& suite, int priority);
  SmallArchive& install(const std::string& name, const std::string& version,
                        const std::string& fields = "");
  void favour(const std::string& name, const std::string& version);

  // "name=version" of what is to install, "-name" of what has to go; or the error's, or the
  // problem's, text alone.
  std::vector<std::string> solve(const std::vector<std::string>& asked) const;
  std::vector<std::string> solve(const DebianRequest& request) const;

 private:
  struct Source {
    std::string packages;
    std::string suite;
    int priority;
  };
  std::vector<Source> sources_ = {{"", "bookworm", 500}};
  std::string status_;
  std::vector<debian::PackageRecord> favoured_;
};

}  // namespace cloche::source
