#include "debian_channel/selection.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <utility>

#include "core/text.h"
#include "debian_channel/conda_naming.h"
#include "package/debian/relation.h"
#include "package/debian/version.h"

namespace cloche::debian_channel {
namespace {

std::string_view section_name(std::string_view section) {
  return section.substr(section.rfind('/') + 1);
}

class Selector {
 public:
  Selector(Available& available, const Rules& rules) : available_(available), rules_(rules) {}

  Result<Selection> run(const std::vector<std::string>& roots) {
    for (const std::string& root : roots) {
      TRY(add_group(root));
    }
    while (!waiting_.empty()) {
      const std::string name = std::move(waiting_.front());
      waiting_.pop_front();
      TRY(follow(name).context("of the package {}", name));
    }
    return std::move(out_);
  }

 private:
  // `chosen`: what a relation led to; nullptr for a root.
  Status add_group(const std::string& name, const debian::PackageRecord* chosen = nullptr) {
    if (out_.groups.contains(name)) {
      return {};
    }
    Group group{.name = name};
    const bool stated = rules_.packages.contains(name);
    if (chosen != nullptr && !stated) {
      group.members.push_back(*chosen);
    }
    for (const std::string& one : rules_.debian_packages(name)) {
      const debian::PackageRecord* record = available_.find(one);
      if (record != nullptr && (stated || group.members.empty())) {
        group.members.push_back(*record);
      }
    }
    if (group.members.empty()) {
      return fail(ErrorKind::kNotFound, "the archive has no package for {}", name);
    }
    const bool all = std::ranges::all_of(
        group.members, [](const debian::PackageRecord& one) { return one.architecture == "all"; });
    const bool python = group.members.front().name.starts_with("python3-");
    if (all) {
      group.kind = python ? PackageKind::kNoarchPython : PackageKind::kNoarchGeneric;
    }
    out_.groups.emplace(name, std::move(group));
    waiting_.push_back(name);
    if (python) {
      TRY(add_group("python"));
    }
    // conda and Cloche add pip to every python (add_pip_as_python_dependency).
    return name == "python" ? add_group("pip") : Status();
  }

  Status follow(const std::string& name) {
    const Group group = out_.groups.at(name);
    std::string& glibc = out_.glibc[name];
    for (const debian::PackageRecord& member : group.members) {
      for (const std::string* field : {&member.pre_depends, &member.depends}) {
        for (const debian::Alternatives& one : TRY(debian::parse_relations(*field))) {
          note_glibc(one, glibc);
          TRY(follow_one(name, member, one));
        }
      }
      for (const std::string* field : {&member.breaks, &member.conflicts}) {
        for (const debian::Alternatives& one : TRY(debian::parse_relations(*field))) {
          note_constraint(name, one.front());
        }
      }
    }
    return {};
  }

  static void note_glibc(const debian::Alternatives& one, std::string& least) {
    for (const debian::Relation& relation : one) {
      if (relation.name == "libc6" && relation.comparison == debian::Comparison::kLaterOrEqual &&
          (least.empty() || debian::compare_versions(least, relation.version) < 0)) {
        least = relation.version;
      }
    }
  }

  // "Breaks: python3-foo (<< 1.2)" is conda's "constrains: foo >=1.2".
  void note_constraint(const std::string& name, const debian::Relation& relation) {
    if (relation.comparison != debian::Comparison::kEarlier ||
        available_.find(relation.name) == nullptr) {
      return;
    }
    const std::string other = rules_.conda_package(std::string(relation.name));
    if (other != name) {
      std::vector<std::string>& all = out_.constrains[name];
      std::string spec = other + " >=" + conda_version(relation.version);
      if (std::ranges::find(all, spec) == all.end()) {
        all.push_back(std::move(spec));
      }
    }
  }

  Status follow_one(const std::string& name, const debian::PackageRecord& member,
                    const debian::Alternatives& alternatives) {
    for (const debian::Relation& one : alternatives) {
      if (rules_.never(one.name)) {
        return {};  // somebody else cares
      }
    }
    const std::optional<std::pair<const debian::PackageRecord*, std::string_view>> chosen =
        choose(alternatives);
    if (!chosen) {
      return fail(ErrorKind::kNotFound, "{} depends on {}, which the archive does not have",
                  member.name, debian::to_string(alternatives.front()));
    }
    const debian::PackageRecord& record = *chosen->first;
    if (rules_.never(record.name) || !wanted(record)) {
      return {};
    }
    const std::string to = rules_.conda_package(record.name);
    if (to != name) {
      TRY(add_group(to, &record));
      out_.edges[name].push_back({to, record.name, std::string(chosen->second)});
    }
    return {};
  }

  bool wanted(const debian::PackageRecord& record) const {
    const std::string_view section = section_name(record.section);
    return rules_.always.contains(record.name) || record.name.starts_with("python3-") ||
           record.name.starts_with("lib") || section == "libs" || section == "oldlibs" ||
           section == "fonts";
  }

  // The package, and the least version that is asked of it.
  std::optional<std::pair<const debian::PackageRecord*, std::string_view>> choose(
      const debian::Alternatives& alternatives) {
    for (const debian::Relation& one : alternatives) {
      const auto instead = rules_.instead.find(std::string(one.name));
      if (instead != rules_.instead.end()) {
        if (const debian::PackageRecord* record = available_.find(instead->second)) {
          return std::pair(record, std::string_view());
        }
      }
    }
    for (const debian::Relation& one : alternatives) {
      const debian::PackageRecord* record = available_.find(one.name);
      if (record != nullptr && debian::allows(one, record->version)) {
        const bool bound = one.comparison == debian::Comparison::kLaterOrEqual ||
                           one.comparison == debian::Comparison::kEqual ||
                           one.comparison == debian::Comparison::kLater;
        return std::pair(record, bound ? one.version : std::string_view());
      }
    }
    for (const debian::Relation& one : alternatives) {
      const std::vector<const debian::PackageRecord*> providers = available_.providers(one.name);
      const auto known = std::ranges::find_if(providers, [&](const debian::PackageRecord* record) {
        return out_.groups.contains(rules_.conda_package(record->name)) ||
               rules_.prefer.contains(record->name);
      });
      if (!providers.empty()) {
        return std::pair(known != providers.end() ? *known : providers.front(), std::string_view());
      }
    }
    return std::nullopt;
  }

  Available& available_;
  const Rules& rules_;
  Selection out_;
  std::deque<std::string> waiting_;
};

}  // namespace

Result<Selection> select(Available& available, const Rules& rules,
                         const std::vector<std::string>& roots) {
  return Selector(available, rules).run(roots);
}

}  // namespace cloche::debian_channel
