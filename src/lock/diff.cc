#include "lock/diff.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "package/conda/version.h"
#include "package/debian/version.h"
#include "package/pypi/version.h"

namespace cloche::lock {
namespace {

constexpr std::array<std::string_view, 5> kWords = {"added", "removed", "upgraded", "downgraded",
                                                    "rebuilt"};

// A package as far as a difference looks at it.
struct Item {
  Change::Side side;
  std::string md5;
  bool requested = false;
};
using Items = std::map<std::string, Item>;

Items items_of(const CondaLock& conda) {
  Items out;
  for (const CondaPackage& package : conda.packages) {
    const conda::PackageRecord& r = package.record;
    out[r.name] = {
        {r.version, r.build, r.channel, r.sha256}, r.md5, !package.reason.requested.empty()};
  }
  return out;
}

Items items_of(const PypiLock& pypi) {
  Items out;
  for (const PypiPackage& package : pypi.packages) {
    out[package.name] = {{.version = package.version, .sha256 = package.sha256}, package.md5};
  }
  return out;
}

Items items_of(const DebianLock& debian) {
  Items out;
  for (const DebianPackage& package : debian.packages) {
    out[package.name] = {{.version = package.version, .sha256 = package.sha256},
                         "",
                         !package.reason.requested.empty()};
  }
  return out;
}

template <class Version>
std::weak_ordering compare_versions(const std::string& before, const std::string& after) {
  const auto a = Version::parse(before);
  const auto b = Version::parse(after);
  return a && b ? std::weak_ordering(*a <=> *b) : std::weak_ordering(before <=> after);
}

// Hashes count where both sides have them: an imported lock may know only one kind.
bool same_hash(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() || a == b;
}

bool same_file(const Item& before, const Item& after) {
  return before.side.version == after.side.version && before.side.build == after.side.build &&
         before.side.channel == after.side.channel &&
         same_hash(before.side.sha256, after.side.sha256) && same_hash(before.md5, after.md5);
}

template <class Version>
ChangeKind kind_of(const Item& before, const Item& after) {
  const std::weak_ordering order =
      compare_versions<Version>(before.side.version, after.side.version);
  return order < 0   ? ChangeKind::kUpgraded
         : order > 0 ? ChangeKind::kDowngraded
                     : ChangeKind::kRebuilt;
}

template <class Version>
void compare(std::string_view ecosystem, const Items& before, const Items& after, Difference& out) {
  std::map<std::string, Change> changes;
  for (const auto& [name, old] : before) {
    Change change = {.kind = ChangeKind::kRemoved,
                     .ecosystem = std::string(ecosystem),
                     .name = name,
                     .before = old.side,
                     .requested = old.requested};
    if (const auto now = after.find(name); now != after.end()) {
      if (same_file(old, now->second)) {
        ++out.unchanged_count;
        continue;
      }
      change.kind = kind_of<Version>(old, now->second);
      change.after = now->second.side;
      change.requested = now->second.requested;
    }
    changes.emplace(name, std::move(change));
  }
  for (const auto& [name, now] : after) {
    if (!before.contains(name)) {
      changes.emplace(name, Change{.kind = ChangeKind::kAdded,
                                   .ecosystem = std::string(ecosystem),
                                   .name = name,
                                   .after = now.side,
                                   .requested = now.requested});
    }
  }
  for (auto& [name, change] : changes) {
    out.changes.push_back(std::move(change));
  }
}

std::string one_line(const Change& change) {
  switch (change.kind) {
    case ChangeKind::kAdded:
    case ChangeKind::kRemoved:
    case ChangeKind::kRebuilt:
      return fmt::format("{} {}", change.name, to_string(change.kind));
    case ChangeKind::kUpgraded:
    case ChangeKind::kDowngraded:
      break;
  }
  return fmt::format("{} {} -> {}", change.name, change.before.version, change.after.version);
}

}  // namespace

std::string_view to_string(ChangeKind kind) { return kWords.at(static_cast<std::size_t>(kind)); }

Difference diff(const Lock& before, const Lock& after) {
  Difference out;
  compare<conda::Version>("conda", items_of(before.conda), items_of(after.conda), out);
  compare<pypi::Version>("pypi", items_of(before.pypi), items_of(after.pypi), out);
  compare<debian::Version>("debian", items_of(before.debian), items_of(after.debian), out);
  return out;
}

std::string summary(const Difference& difference, std::size_t limit) {
  if (difference.empty()) {
    return "nothing changed";
  }
  std::vector<const Change*> order;
  order.reserve(difference.changes.size());
  for (const Change& change : difference.changes) {
    order.push_back(&change);
  }
  std::ranges::stable_partition(order, [](const Change* change) { return change->requested; });
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(limit, order.size()); ++i) {
    parts.push_back(one_line(*order[i]));
  }
  const std::string named = fmt::format("{}", fmt::join(parts, ", "));
  return order.size() > limit ? fmt::format("{}, and {} more", named, order.size() - limit) : named;
}

}  // namespace cloche::lock
