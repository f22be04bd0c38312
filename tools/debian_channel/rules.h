// What cannot be read from Debian's packages and is said by hand: rules.yaml, which explains each
// key.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::debian_channel {

struct Edit {
  std::string package;
  std::string files;  // a glob over the path in the package: '*' also stands for slashes
  std::string text;
  std::string replacement;  // may hold "{prefix}"
};

struct AddedLink {
  std::string package;
  std::string link;
  std::string target;
};

class Rules {
 public:
  // For one suite: {python} stands for its version everywhere. kInvalid with the line; kNotFound: a
  // suite that the rules do not know.
  static Result<Rules> parse(std::string_view text, const std::string& file,
                             const std::string& suite);
  Rules(Rules&&) noexcept;
  Rules& operator=(Rules&&) noexcept;
  ~Rules();

  std::string python;  // "3.11"
  std::vector<std::string> roots;
  std::map<std::string, std::vector<std::string>> packages;
  std::set<std::string> always;
  std::set<std::string> prefer;
  std::map<std::string, std::string> instead;
  std::vector<Edit> edits;
  std::vector<Edit> binary_edits;
  std::vector<AddedLink> links;
  std::set<std::string> tar_bz2;

  // Whether a Debian package is one that is never followed.
  bool never(std::string_view debian_name) const;

  // The conda package that a Debian package becomes (a part of).
  std::string conda_package(const std::string& debian_name) const;

  // The Debian packages that a conda package is made of; the one of that name, or python3-NAME,
  // where the rules say nothing.
  std::vector<std::string> debian_packages(const std::string& conda_package) const;

 private:
  struct Patterns;
  Rules();
  std::unique_ptr<Patterns> never_;
  std::map<std::string, std::string> conda_of_;
};

// Whether a path is one of the glob: '*' stands for any text.
bool matches_glob(std::string_view glob, std::string_view path);

}  // namespace cloche::debian_channel
