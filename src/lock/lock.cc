#include "lock/lock.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/text.h"
#include "package/conda/match_spec.h"

namespace cloche::lock {
namespace {

auto order_of(const conda::PackageRecord& r) {
  return std::tie(r.name, r.version, r.build, r.channel, r.subdir, r.url, r.sha256, r.md5);
}

auto order_of(const PypiPackage& p) { return std::tie(p.name, p.version, p.url, p.sha256, p.md5); }

auto order_of(const DebianPackage& p) {
  return std::tie(p.name, p.version, p.architecture, p.url, p.sha256);
}

using PlacesByName = std::unordered_map<std::string_view, std::size_t>;

PlacesByName places_by_name(const std::vector<CondaPackage>& packages) {
  PlacesByName out;
  out.reserve(packages.size());
  for (std::size_t i = 0; i < packages.size(); ++i) {
    out.emplace(packages[i].record.name, i);
  }
  return out;
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

// The places of what a package needs, within the lock.
std::vector<std::size_t> needed_by_package(const conda::PackageRecord& record,
                                           const PlacesByName& places) {
  std::vector<std::size_t> out;
  const auto python = places.find("python");
  if (record.noarch == conda::Noarch::kPython && python != places.end()) {
    out.push_back(python->second);
  }
  for (const std::string& spec : record.depends) {
    const std::string name = dependency_name(spec);
    const auto found = places.find(name);
    // Older python depends on pip, which is installed with it (conda: models/prefix_graph.py).
    const bool closes_circle = record.name == "python" && name == "pip";
    if (found != places.end() && !closes_circle) {
      out.push_back(found->second);
    }
  }
  return out;
}

// Depth first without recursion: a chain of packages may be as long as a lock.
class InstallOrder {
 public:
  explicit InstallOrder(const std::vector<CondaPackage>& packages)
      : packages_(packages), places_(places_by_name(packages)), state_(packages.size()) {
    rank_.resize(packages.size());
    for (std::size_t i = 0; i < packages.size(); ++i) {
      rank_[i] = i;
    }
    std::ranges::sort(rank_, [&](std::size_t a, std::size_t b) {
      return order_of(packages_[a].record) < order_of(packages_[b].record);
    });
  }

  std::vector<std::size_t> run() && {
    for (const std::size_t place : rank_) {
      open(place);
      while (!path_.empty()) {
        step();
      }
    }
    return std::move(order_);
  }

 private:
  enum class State { kNew, kOpen, kDone };
  struct Visit {
    std::size_t place = 0;
    std::vector<std::size_t> needs;  // the next one last
  };

  void open(std::size_t place) {
    if (state_[place] != State::kNew) {
      return;  // done, or it would close a circle
    }
    state_[place] = State::kOpen;
    Visit visit = {place, needed_by_package(packages_[place].record, places_)};
    std::ranges::sort(visit.needs, [&](std::size_t a, std::size_t b) {
      return packages_[a].record.name > packages_[b].record.name;
    });
    path_.push_back(std::move(visit));
  }

  void step() {
    Visit& visit = path_.back();
    if (!visit.needs.empty()) {
      const std::size_t next = visit.needs.back();
      visit.needs.pop_back();
      open(next);
      return;
    }
    state_[visit.place] = State::kDone;
    order_.push_back(visit.place);
    path_.pop_back();
  }

  const std::vector<CondaPackage>& packages_;
  PlacesByName places_;
  std::vector<std::size_t> rank_;
  std::vector<State> state_;
  std::vector<Visit> path_;
  std::vector<std::size_t> order_;
};

Digest digest_of_json(const Json& json) { return Digest::of(json.canonical()); }

}  // namespace

void sort(Lock& lock) {
  std::ranges::stable_sort(lock.virtual_packages, {}, [](const VirtualPackage& one) {
    return std::tie(one.name, one.version, one.build);
  });
  std::ranges::stable_sort(lock.conda.packages, {},
                           [](const CondaPackage& one) { return order_of(one.record); });
  std::ranges::stable_sort(lock.pypi.packages, {},
                           [](const PypiPackage& one) { return order_of(one); });
  std::ranges::stable_sort(lock.debian.packages, {},
                           [](const DebianPackage& one) { return order_of(one); });
  std::ranges::sort(lock.debian.removes);
}

Digest digest_of(const Lock& lock) {
  Lock sorted = lock;
  sort(sorted);
  return digest_of_json(to_json(sorted));
}

Digest contents_digest_of(const Lock& lock) {
  Lock contents = lock;
  sort(contents);
  contents.fingerprint.clear();
  contents.virtual_packages.clear();
  contents.conda.channels.clear();
  contents.conda.channel_priority = ChannelPriority::kStrict;
  contents.conda.requested.clear();
  for (CondaPackage& package : contents.conda.packages) {
    package.reason = {};
  }
  if (contents.debian.locked) {
    contents.debian.requirements.clear();
    contents.debian.archives.clear();
  }
  for (DebianPackage& package : contents.debian.packages) {
    package.reason = {};
  }
  return digest_of_json(to_json(contents));
}

Digest packages_digest_of(const Lock& lock) {
  Lock packages = lock;
  packages.base_image.reset();
  return contents_digest_of(packages);
}

Digest target_digest_of(const std::vector<VirtualPackage>& virtual_packages) {
  Lock target;
  target.virtual_packages = virtual_packages;
  sort(target);
  Json list = Json::array();
  for (const VirtualPackage& one : target.virtual_packages) {
    list.push(one.to_string());
  }
  return digest_of_json(list);
}

std::string dependency_name(std::string_view spec) {
  // Nearly every one is "name" or "name constraint"; the rest goes the long way.
  std::size_t end = 0;
  while (end < spec.size() && is_name_char(spec[end])) {
    ++end;
  }
  if (end > 0 && (end == spec.size() || spec[end] == ' ')) {
    return std::string(spec.substr(0, end));
  }
  const auto parsed = conda::parse_match_spec(spec);
  return parsed ? parsed->name : "";
}

std::map<std::string, Reason> why(const Lock& lock) {
  std::map<std::string, Reason> out;
  for (const CondaPackage& package : lock.conda.packages) {
    out[package.record.name];
  }
  for (const std::string& spec : lock.conda.requested) {
    const auto found = out.find(dependency_name(spec));
    if (found != out.end()) {
      found->second.requested.push_back(spec);
    }
  }
  for (const CondaPackage& package : lock.conda.packages) {
    for (const std::string& spec : package.record.depends) {
      const auto found = out.find(dependency_name(spec));
      if (found != out.end()) {
        found->second.needed_by.push_back(package.record.name);
      }
    }
  }
  for (auto& [name, reason] : out) {
    std::ranges::sort(reason.needed_by);
    const auto doubled = std::ranges::unique(reason.needed_by);
    reason.needed_by.erase(doubled.begin(), doubled.end());
  }
  return out;
}

void set_reasons(Lock& lock) {
  std::map<std::string, Reason> reasons = why(lock);
  for (CondaPackage& package : lock.conda.packages) {
    package.reason = reasons[package.record.name];
  }
  std::map<std::string, Reason> debian = why_debian(lock.debian);
  for (DebianPackage& package : lock.debian.packages) {
    package.reason = debian[package.name];
  }
}

std::vector<std::size_t> install_order(const Lock& lock) {
  return InstallOrder(lock.conda.packages).run();
}

}  // namespace cloche::lock
