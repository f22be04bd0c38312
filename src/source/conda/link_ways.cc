#include "source/conda/link_ways.h"

#include <unordered_set>

#include "core/files.h"
#include "core/text.h"

namespace cloche::source {
namespace {

constexpr int kMaxLinks = 40;  // as Linux has it

}  // namespace

std::string LinkWays::path(const std::string& path) const {
  if (real_.empty()) {
    return path;
  }
  const auto found = real_.find(parent_path(path));
  return found == real_.end() ? path : join_path(found->second, base_name(path));
}

const std::string& LinkWays::directory(const std::string& path) const {
  const auto found = real_.find(path);
  return found == real_.end() ? path : found->second;
}

std::string LinkWays::text() const {
  std::string out;
  for (const auto& [from, to] : real_) {
    out.append(from) += '\0';
    out.append(to) += '\0';
  }
  return out;
}

Result<LinkWays> LinkResolver::ways(const std::vector<PlacedPath>& paths) {
  LinkWays out;
  for (const PlacedPath& placed : paths) {
    const bool directory = placed.entry.type == PathType::kDirectory;
    for (std::string at = directory ? placed.path : parent_path(placed.path); !at.empty();
         at = parent_path(at)) {
      std::string real = TRY(real_directory(at).context("at {}", printable(placed.path)));
      if (real != at) {
        out.real_.emplace(at, std::move(real));
      }
    }
  }
  return out;
}

Result<std::string> LinkResolver::real_directory(const std::string& path) {
  if (path.empty()) {
    return std::string();
  }
  if (const auto found = known_.find(path); found != known_.end()) {
    return found->second;
  }
  const std::string parent = TRY(real_directory(parent_path(path)));
  std::string real = TRY(step(parent, std::string(base_name(path)), 0));
  known_.emplace(path, real);
  return real;
}

// What `name` in a directory (without links in its path) leads to.
Result<std::string> LinkResolver::step(const std::string& directory, const std::string& name,
                                       int depth) {
  std::string here = directory.empty() ? name : join_path(directory, name);
  const std::ptrdiff_t owner = plan_.link_owner(here);
  if (owner < 0) {
    return here;
  }
  const SymbolicLinks& links = *TRY(links_(static_cast<std::size_t>(owner)));
  const auto link = links.find(here);
  if (link == links.end()) {
    return here;
  }
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::kUnsupported, "it lies below {}, a link of another package {}",
                printable(here), why);
  };
  if (depth == kMaxLinks) {
    return refuse("that leads in a circle");
  }
  if (link->second.starts_with('/')) {
    return refuse("that leads out of the environment");
  }
  std::string at = directory;
  for (const std::string_view part : split(link->second, '/')) {
    if (part.empty() || part == ".") {
      continue;
    }
    if (part != "..") {
      at = TRY(step(at, std::string(part), depth + 1));
    } else if (at.empty()) {
      return refuse("that leads out of the environment");
    } else {
      at = parent_path(at);
    }
  }
  return at;
}

namespace {

std::vector<PrefixPlan::Package> planned(const std::vector<LinkedPackage>& packages) {
  std::vector<PrefixPlan::Package> all;
  all.reserve(packages.size());
  for (const LinkedPackage& one : packages) {
    all.push_back({one.name, &one.paths});
  }
  return all;
}

Status move_paths(LinkedPackage& package, const std::vector<PlacedPath>& original,
                  LinkResolver& resolver) {
  package.ways = TRY(resolver.ways(original));
  package.paths = original;
  std::unordered_set<std::string_view> files;
  for (PlacedPath& placed : package.paths) {
    const bool directory = placed.entry.type == PathType::kDirectory;
    placed.path = directory ? package.ways.directory(placed.path) : package.ways.path(placed.path);
    if (!directory && !files.insert(placed.path).second) {
      return fail(ErrorKind::kInvalid, "two of its files would become {}", printable(placed.path));
    }
  }
  return {};
}

}  // namespace

Status follow_links(std::vector<LinkedPackage>& packages,
                    const std::function<Result<SymbolicLinks>(std::size_t package)>& links_of) {
  constexpr int kMaxRounds = 8;
  std::vector<std::vector<PlacedPath>> original;
  original.reserve(packages.size());
  for (const LinkedPackage& one : packages) {
    original.push_back(one.paths);
  }
  for (int round = 0; round < kMaxRounds; ++round) {
    const PrefixPlan plan(planned(packages));
    std::map<std::size_t, SymbolicLinks> links;
    LinkResolver resolver(plan, [&](std::size_t i) -> Result<const SymbolicLinks*> {
      if (!links.contains(i)) {
        SymbolicLinks& here = links[i];
        for (auto& [path, target] : TRY(links_of(i))) {
          here.emplace(packages[i].ways.path(path), target);
        }
      }
      return &links[i];
    });
    bool moved = false;
    for (std::size_t i = 0; i < packages.size(); ++i) {
      if (plan.round(i) > 0) {
        TRY(move_paths(packages[i], original[i], resolver)
                .context("in the package {}", packages[i].file_name));
        moved = true;
      }
    }
    if (!moved) {
      return {};
    }
  }
  return fail(ErrorKind::kUnsupported, "packages lie below each other's links without an end");
}

}  // namespace cloche::source
