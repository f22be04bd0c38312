#include "source/debian/deb_overlaps.h"

#include <algorithm>
#include <unordered_map>

#include "core/text.h"
#include "package/debian/relation.h"

namespace cloche::source {
namespace {

struct Owner {
  std::size_t package;
  const DebPath* path;
};

Result<bool> replaces(const debian::PackageRecord& taker, const debian::PackageRecord& loser) {
  for (const debian::Alternatives& one : TRY(debian::parse_relations(taker.replaces))) {
    for (const debian::Relation& relation : one) {
      if (relation.name == loser.name && debian::allows(relation, loser.version)) {
        return true;
      }
    }
  }
  return false;
}

Error overlap(const debian::PackageRecord& a, const debian::PackageRecord& b,
              const std::string& path) {
  return fail(ErrorKind::kConflict,
              "the packages {} and {} both have /{}, and neither replaces the other",
              printable(a.name), printable(b.name), printable(path))
      .with_hint("leave out one of them; diversions by dpkg-divert are not made here");
}

}  // namespace

Result<std::vector<std::vector<std::string>>> lost_paths(std::span<const NamedContents> packages,
                                                         std::span<const DirectoryAlias> aliases) {
  std::vector<std::vector<std::string>> lost(packages.size());
  std::unordered_map<std::string, Owner> owners;
  for (std::size_t i = 0; i < packages.size(); ++i) {
    for (const DebPath& path : packages[i].contents->paths) {
      const bool alias =
          path.kind == io::TarKind::kSymlink &&
          std::ranges::find(aliases, path.path, &DirectoryAlias::path) != aliases.end();
      if (alias) {
        continue;
      }
      const auto [place, fresh] =
          owners.try_emplace(aliased_path(aliases, path.path), Owner{i, &path});
      Owner& owner = place->second;
      if (fresh || owner.package == i) {
        continue;
      }
      const bool directory = path.kind == io::TarKind::kDirectory;
      if (directory && owner.path->kind == io::TarKind::kDirectory) {
        continue;
      }
      const debian::PackageRecord& before = packages[owner.package].record;
      const debian::PackageRecord& now = packages[i].record;
      if (directory || owner.path->kind == io::TarKind::kDirectory) {
        return overlap(before, now, place->first);
      }
      if (TRY(replaces(now, before))) {
        lost[owner.package].push_back(owner.path->path);
        owner = {i, &path};
      } else if (TRY(replaces(before, now))) {
        lost[i].push_back(path.path);
      } else {
        return overlap(before, now, place->first);
      }
    }
  }
  for (std::vector<std::string>& one : lost) {
    std::ranges::sort(one);
  }
  return lost;
}

}  // namespace cloche::source
