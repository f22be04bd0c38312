// Where the files of a package really lie when they are named through symbolic links of others.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "source/conda/package_files.h"
#include "source/conda/prefix_plan.h"

namespace cloche::source {

// The symbolic links of one package: path to target.
using SymbolicLinks = std::map<std::string, std::string>;

// The detours of one package: `lib64/a.so` is `lib/a.so` where another package links lib64 to lib.
// In a layer that must be so: a directory lib64 would take the link's place.
class LinkWays {
 public:
  // Where a file or link lies: the links of its directories are followed, its own name is not.
  std::string path(const std::string& path) const;

  // Where a directory lies.
  const std::string& directory(const std::string& path) const;

  bool empty() const { return real_.empty(); }

  // All of it, in one order.
  std::string text() const;

 private:
  friend class LinkResolver;
  std::map<std::string, std::string> real_;  // directories that lie elsewhere
};

// Follows links through all packages of a plan. One thread.
class LinkResolver {
 public:
  // The links of a package; asked for only where a way leads through one of them.
  using Links = std::function<Result<const SymbolicLinks*>(std::size_t package)>;

  LinkResolver(const PrefixPlan& plan, Links links) : plan_(plan), links_(std::move(links)) {}

  // kUnsupported: a way leads out of the prefix, or in a circle, naming the path.
  Result<LinkWays> ways(const std::vector<PlacedPath>& paths);

 private:
  Result<std::string> real_directory(const std::string& path);
  Result<std::string> step(const std::string& directory, const std::string& name, int depth);

  const PrefixPlan& plan_;
  Links links_;
  std::map<std::string, std::string> known_;
};

// A package whose files may have to go elsewhere.
struct LinkedPackage {
  std::string name;
  std::string file_name;          // for messages
  std::vector<PlacedPath> paths;  // as it names them; then where they lie
  LinkWays ways;
};

// Files that are named through another package's symbolic link go where it leads, as they do when
// packages are written one after another. Then they may meet files of others, and so on.
// `links_of`: by the package's own names; asked for only where a way leads through one of them.
// kUnsupported: as LinkResolver, or it never ends. kInvalid: two files of a package would be one.
Status follow_links(std::vector<LinkedPackage>& packages,
                    const std::function<Result<SymbolicLinks>(std::size_t package)>& links_of);

}  // namespace cloche::source
