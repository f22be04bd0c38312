#include "source/debian/dpkg_database.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "core/text.h"
#include "package/debian/paragraph.h"
#include "package/debian/relation.h"
#include "source/debian/unpacked_deb.h"

namespace cloche::source {
namespace {

// Fields that are dpkg's to say, whatever a control file says.
constexpr std::array<std::string_view, 6> kDpkgFields = {
    "status", "conffiles", "config-version", "triggers-pending", "triggers-awaited", "package"};

constexpr std::string_view kNoAwait = "/noawait";
constexpr std::size_t kMaxTriggerName = 4096;

// deb-triggers(5): visible ASCII.
bool is_trigger_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxTriggerName &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f'; }) &&
         (name[0] == '/' || name.find('/') == std::string_view::npos) && name != "." &&
         name != ".." && name != "File" && name != "Lock" && name != "Unincorp";
}

struct Directives {
  std::vector<Trigger> interests;
  std::vector<std::string> activates;
};

Result<Directives> read_directives(const UnpackedPackage& package) {
  Directives out;
  for (std::string_view line : split_lines(package.contents->triggers)) {
    line = trim(line.substr(0, line.find('#')));
    if (line.empty()) {
      continue;
    }
    const std::size_t blank = line.find_first_of(" \t");
    const std::string_view word = line.substr(0, blank);
    const std::string_view name =
        blank == std::string_view::npos ? std::string_view() : trim(line.substr(blank));
    const bool interest = word.starts_with("interest");
    const std::string_view rest = word.substr(std::min<std::size_t>(word.size(), 8));
    const bool known = (interest || word.starts_with("activate")) &&
                       (rest.empty() || rest == "-await" || rest == "-noawait");
    if (!known || !is_trigger_name(name)) {
      return fail(ErrorKind::kInvalid, "in its triggers: '{}' is no directive", printable(line));
    }
    if (interest) {
      out.interests.push_back({std::string(name), info_name(package.record), rest != "-noawait"});
    } else {
      out.activates.emplace_back(name);
    }
  }
  return out;
}

std::string interest_line(const Trigger& trigger, bool file) {
  return fmt::format("{}{}{}\n", file ? trigger.name + " " : "", trigger.package,
                     trigger.await ? "" : kNoAwait);
}

// The paths of triggers/File: "/usr/share/man man-db/noawait".
std::set<std::string> file_triggers(const std::map<std::string, std::string>& present) {
  std::set<std::string> out;
  if (const auto found = present.find("File"); found != present.end()) {
    for (const std::string_view line : split_lines(found->second)) {
      if (const std::size_t blank = line.find(' '); blank != std::string_view::npos) {
        out.emplace(line.substr(0, blank));
      }
    }
  }
  return out;
}

}  // namespace

std::string unpacked_paragraph(const UnpackedPackage& package) {
  std::string text = fmt::format("Package: {}\nStatus: install ok unpacked\n", package.record.name);
  debian::Paragraph paragraph;
  debian::ParagraphReader reader(package.contents->control);
  if (const auto more = reader.next(paragraph); more && *more) {  // read_record() read it before
    for (const debian::Field& field : paragraph.fields()) {
      if (std::ranges::find(kDpkgFields, to_lower(field.name)) == kDpkgFields.end()) {
        text += fmt::format("{}: {}\n", field.name, field.value);
      }
    }
  }
  if (!package.contents->conffiles.empty()) {
    text += "Conffiles:\n";
    for (const auto& [path, md5] : package.contents->conffiles) {
      text += fmt::format(" {} {}\n", path, md5);
    }
  }
  return text;
}

Result<std::vector<Trigger>> read_interests(const UnpackedPackage& package) {
  return TRY(read_directives(package)).interests;
}

Result<std::map<std::string, std::string>> trigger_files(
    const std::map<std::string, std::string>& present, std::span<const UnpackedPackage> packages) {
  std::map<std::string, std::string> out;
  for (const UnpackedPackage& package : packages) {
    for (const Trigger& trigger : TRY(read_interests(package).context(
             "in the package {}", printable(package.record.name)))) {
      const bool file = trigger.name[0] == '/';
      const std::string name = file ? "File" : trigger.name;
      std::string text;
      if (const auto found = out.find(name); found != out.end()) {
        text = found->second;
      } else if (const auto there = present.find(name); there != present.end()) {
        text = there->second;
      }
      const std::string line = interest_line(trigger, file);
      if (!text.starts_with(line) && text.find("\n" + line) == std::string::npos) {
        out[name] = text + line;
      }
    }
  }
  return out;
}

Result<std::string> activated_triggers(const std::map<std::string, std::string>& present,
                                       std::span<const UnpackedPackage> packages) {
  std::set<std::string> activated;
  const std::set<std::string> files = file_triggers(present);
  for (const UnpackedPackage& package : packages) {
    const Directives directives =
        TRY(read_directives(package).context("in the package {}", printable(package.record.name)));
    for (const std::string& name : directives.activates) {
      if (name[0] == '/' ? files.contains(name) : present.contains(name)) {
        activated.insert(name);
      }
    }
    for (const DebPath& one : package.contents->paths) {
      std::string path = "/" + one.path;
      while (!files.empty() && !path.empty()) {
        if (files.contains(path)) {
          activated.insert(path);
        }
        path.resize(path.rfind('/'));
      }
    }
  }
  std::string text;
  for (const std::string& name : activated) {
    text += name + " -\n";  // "-": nobody waits
  }
  return text;
}

std::vector<std::size_t> unpack_order(std::span<const UnpackedPackage> packages) {
  std::unordered_map<std::string_view, std::size_t> places;
  std::vector<std::size_t> by_name(packages.size());
  for (std::size_t i = 0; i < packages.size(); ++i) {
    by_name[i] = i;
    places.emplace(packages[i].record.name, i);
  }
  std::ranges::sort(by_name, [&](std::size_t a, std::size_t b) {
    const auto rank = [&](std::size_t i) {
      return std::pair(packages[i].record.name != "base-passwd",
                       std::string_view(packages[i].record.name));
    };
    return rank(a) < rank(b);
  });
  std::vector<std::size_t> order;
  std::vector<bool> entered(packages.size(), false);
  struct Frame {
    std::size_t package;
    std::vector<std::size_t> needs;
    std::size_t next = 0;
  };
  const auto frame_of = [&](std::size_t i) {
    Frame frame{i, {}, 0};
    for (const std::string* text : {&packages[i].record.pre_depends, &packages[i].record.depends}) {
      const auto relations = debian::parse_relations(*text);
      for (std::size_t at = 0; relations && at < relations->size(); ++at) {
        for (const debian::Relation& one : (*relations)[at]) {
          if (const auto found = places.find(one.name); found != places.end()) {
            frame.needs.push_back(found->second);
          }
        }
      }
    }
    return frame;
  };
  // base-passwd needs libraries only, whose scripts change no owners.
  for (const std::size_t start : by_name) {
    if (entered[start]) {
      continue;
    }
    if (packages[start].record.name == "base-passwd") {
      entered[start] = true;
      order.push_back(start);
      continue;
    }
    std::vector<Frame> stack;
    entered[start] = true;
    stack.push_back(frame_of(start));
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.next == top.needs.size()) {
        order.push_back(top.package);
        stack.pop_back();
        continue;
      }
      const std::size_t need = top.needs[top.next++];
      if (!entered[need]) {
        entered[need] = true;
        stack.push_back(frame_of(need));
      }
    }
  }
  return order;
}

}  // namespace cloche::source
