#include "runtime/cdi_registry.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/files.h"
#include "core/text.h"
#include "io/disk_files.h"
#include "io/system.h"

namespace cloche::runtime {
namespace {

bool is_spec_file(std::string_view name) {
  return !name.starts_with('.') &&
         (name.ends_with(".json") || name.ends_with(".yaml") || name.ends_with(".yml"));
}

std::string kind_of(std::string_view qualified) {
  return std::string(qualified.substr(0, qualified.find('=')));
}

}  // namespace

std::vector<std::string> CdiRegistry::folders() {
  std::vector<std::string> out;
  const std::string own = io::environment_variable("CLOCHE_CDI_PATH");
  for (const std::string_view one : split(own, ':')) {
    if (!one.empty()) {
      out.emplace_back(one);
    }
  }
  return out.empty() ? std::vector<std::string>{"/etc/cdi", "/var/run/cdi"} : out;
}

CdiRegistry CdiRegistry::read(const std::vector<std::string>& folders) {
  CdiRegistry out;
  io::DiskFiles files;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const auto entries = files.list(folders[i]);
    if (!entries) {
      if (entries.error().kind != ErrorKind::kNotFound) {
        out.complaints_.push_back("  " + entries.error().message);
      }
      continue;
    }
    for (const FileEntry& one : *entries) {
      if (!is_spec_file(one.name) || one.kind == FileKind::kDirectory) {
        continue;
      }
      const std::string path = join_path(folders[i], one.name);
      const auto text = files.read(path, kMaxTextBytes);
      auto spec = text ? parse_cdi_spec(*text, path) : Result<CdiSpec>(text.error());
      if (spec) {
        out.add(std::move(*spec), i);
      } else {
        const Location& at = spec.error().at;
        out.complaints_.push_back(
            at.empty() ? fmt::format("  {}: {}", printable(path), spec.error().message)
                       : fmt::format("  {}: {}", at.to_string(), spec.error().message));
      }
    }
  }
  return out;
}

void CdiRegistry::add(CdiSpec spec, std::size_t folder) {
  specs_.push_back(std::move(spec));
  const CdiSpec& added = specs_.back();
  for (std::size_t i = 0; i < added.devices.size(); ++i) {
    const std::string name = fmt::format("{}={}", added.kind, added.devices[i].name);
    const auto [place, is_new] = entries_.try_emplace(name);
    Entry& entry = place->second;
    if (is_new) {
      order_.push_back(name);
    } else if (entry.folder == folder) {
      entry.also_in = added.file;
      continue;
    }
    entry = {.spec = specs_.size() - 1, .device = i, .folder = folder, .also_in = {}};
  }
}

std::vector<std::string> CdiRegistry::kinds() const {
  std::set<std::string> out;
  for (const std::string& one : order_) {
    out.insert(kind_of(one));
  }
  return {out.begin(), out.end()};
}

std::vector<std::string> CdiRegistry::devices_of(std::string_view kind) const {
  std::vector<std::string> out;
  std::ranges::copy_if(order_, std::back_inserter(out),
                       [&](const std::string& one) { return kind_of(one) == kind; });
  return out;
}

const CdiDevice* CdiRegistry::find(std::string_view qualified) const {
  const auto found = entries_.find(qualified);
  return found == entries_.end() || !found->second.also_in.empty()
             ? nullptr
             : &specs_[found->second.spec].devices[found->second.device];
}

Result<CdiEdits> CdiRegistry::edits(const std::vector<std::string>& qualified) const {
  CdiEdits out;
  std::set<std::size_t> specs;
  std::set<std::string_view> seen;
  for (const std::string& name : qualified) {
    if (!seen.insert(name).second) {
      continue;
    }
    const auto found = entries_.find(name);
    if (found == entries_.end()) {
      const std::vector<std::string> known = devices_of(kind_of(name));
      return fail(ErrorKind::kNotFound, "this machine has no device {}", printable(name))
          .with_hint(known.empty()
                         ? "no spec of the Container Device Interface names any of its kind"
                         : "there are " + join(known, ", "))
          .with_details(complaints_);
    }
    const CdiSpec& spec = specs_[found->second.spec];
    if (!found->second.also_in.empty()) {
      return fail(ErrorKind::kConflict, "the device {} is described twice: in {} and in {}", name,
                  printable(spec.file), printable(found->second.also_in))
          .with_hint("remove the file that is out of date");
    }
    if (specs.insert(found->second.spec).second) {
      out.append(spec.edits);
    }
    out.append(spec.devices[found->second.device].edits);
    if (!out.unsupported.empty()) {
      return fail(ErrorKind::kUnsupported,
                  "the device {} cannot be given to a container: {} of {} "
                  "is not supported",
                  name, out.unsupported.front(), printable(spec.file))
          .with_hint(out.unsupported.front() == "intelRdt"
                         ? "it assigns parts of the processor's cache, which needs a class that "
                           "resctrl keeps; leave it out of the spec"
                         : "it moves the host's network interfaces into containers; leave it out "
                           "of the spec");
    }
  }
  return out;
}

}  // namespace cloche::runtime
