#include "lock/debian_needs.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>

#include "package/debian/relation.h"
#include "package/debian/requirement.h"

namespace cloche::lock {
namespace {

// The places that have a name: the packages called so, and those that provide it.
using Places = std::unordered_map<std::string_view, std::vector<std::size_t>>;

Places places_of(const DebianLock& debian) {
  Places out;
  for (std::size_t i = 0; i < debian.packages.size(); ++i) {
    const DebianPackage& package = debian.packages[i];
    out[package.name].push_back(i);
    for (const std::string& text : package.provides) {
      if (const auto relations = debian::parse_relations(text)) {
        for (const debian::Alternatives& one : *relations) {
          out[one.front().name].push_back(i);
        }
      }
    }
  }
  return out;
}

void add_needs(const std::vector<std::string>& groups, const Places& places,
               std::set<std::size_t>& out) {
  for (const std::string& text : groups) {
    const auto relations = debian::parse_relations(text);
    if (!relations) {
      continue;
    }
    for (const debian::Alternatives& group : *relations) {
      for (const debian::Relation& one : group) {
        if (const auto found = places.find(one.name); found != places.end()) {
          out.insert(found->second.begin(), found->second.end());
        }
      }
    }
  }
}

}  // namespace

std::vector<std::vector<std::size_t>> debian_needs(const DebianLock& debian) {
  const Places places = places_of(debian);
  std::vector<std::vector<std::size_t>> out;
  out.reserve(debian.packages.size());
  for (std::size_t i = 0; i < debian.packages.size(); ++i) {
    std::set<std::size_t> needs;
    add_needs(debian.packages[i].pre_depends, places, needs);
    add_needs(debian.packages[i].depends, places, needs);
    needs.erase(i);
    out.emplace_back(needs.begin(), needs.end());
  }
  return out;
}

std::map<std::string, Reason> why_debian(const DebianLock& debian) {
  std::map<std::string, Reason> out;
  for (const DebianPackage& package : debian.packages) {
    out[package.name];
  }
  const Places places = places_of(debian);
  for (const std::string& text : debian.requirements) {
    const auto requirement = debian::parse_requirement(text);
    const std::string name = requirement ? requirement->name : "";
    if (const auto named = out.find(name); named != out.end()) {
      named->second.requested.push_back(text);
    } else if (const auto provided = places.find(name); provided != places.end()) {
      for (const std::size_t place : provided->second) {
        out[debian.packages[place].name].requested.push_back(text);
      }
    }
  }
  const std::vector<std::vector<std::size_t>> needs = debian_needs(debian);
  for (std::size_t i = 0; i < needs.size(); ++i) {
    for (const std::size_t place : needs[i]) {
      out[debian.packages[place].name].needed_by.push_back(debian.packages[i].name);
    }
  }
  for (auto& [name, reason] : out) {
    std::ranges::sort(reason.needed_by);
    const auto doubled = std::ranges::unique(reason.needed_by);
    reason.needed_by.erase(doubled.begin(), doubled.end());
  }
  return out;
}

}  // namespace cloche::lock
