#include "definition/diff.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/credentials.h"
#include "core/text.h"
#include "definition/alignment.h"
#include "definition/dockerfile_steps.h"
#include "package/conda/match_spec.h"
#include "package/debian/requirement.h"
#include "package/pypi/requirement.h"

namespace cloche::definition {
namespace {

// One entry of a list: `text` is shown, `key` is compared.
struct Entry {
  std::string name;
  std::string text;
  std::string key;
};
using Entries = std::vector<Entry>;

// ---- names of packages: what cannot be parsed is its own name

Entry conda_entry(const CondaDependency& one) {
  const auto spec = conda::parse_match_spec(one.text);
  const bool named = spec && !spec->name.empty() && spec->name != "*";
  return {named ? spec->name : one.text,
          one.selector.empty() ? one.text : one.text + " # [" + one.selector + "]",
          std::string(one.selector).append(1, '\0').append(one.text)};
}

Entry apt_entry(const Line& line) {
  const auto requirement = debian::parse_requirement(line.text);
  if (!requirement) {
    return {line.text, line.text, line.text};
  }
  const std::string& architecture = requirement->architecture;
  return {requirement->name + (architecture.empty() ? "" : ":" + architecture), line.text,
          line.text};
}

// "numpy" for "numpy==1.26 --hash=...", "--index-url" for an option with a value.
std::string pip_name(const PipLine& line) {
  if (line.text.starts_with("--")) {
    return line.text.substr(0, line.text.find('='));
  }
  const auto requirement = pypi::parse_requirement(line.text.substr(0, line.text.find(" --")));
  return requirement && !requirement->name.empty() ? pypi::normal_name(requirement->name)
                                                   : line.text;
}

Entry pip_entry(const PipLine& line) {
  const std::string prefix = line.kind == PipLine::Kind::kConstraint ? "constraint " : "";
  return {prefix + pip_name(line), prefix + line.text,
          std::to_string(static_cast<int>(line.kind)) + line.text};
}

template <class Item>
Entries entries(const std::vector<Item>& items, Entry (*make)(const Item&)) {
  Entries out;
  out.reserve(items.size());
  for (const Item& item : items) {
    out.push_back(make(item));
  }
  return out;
}

Entry same_name(const std::string& text) { return {text, text, text}; }
Entry channel_entry(const Line& line) { return same_name(line.text); }
Entry step_entry(const std::string& step) { return {step.substr(0, step.find(' ')), step, step}; }

// ---- the parts of a definition

Entries steps_of(const Definition& definition) {
  const std::string* text = dockerfile_text(definition);
  if (text == nullptr) {
    return {};
  }
  const auto steps = dockerfile_steps(*text);
  return steps ? entries(*steps, step_entry) : Entries{{"text", *text, *text}};
}

const BuildContextBase* context_of(const Definition& definition) {
  return std::get_if<BuildContextBase>(&definition.base);
}

std::string show_file(const ContextFile& file) {
  std::string mode = fmt::format("{:04o}", file.mode);
  switch (file.kind) {
    case FileKind::kFile:
      return file.digest.to_string() + " " + mode;
    case FileKind::kSymlink:
      return "link to " + file.link_target;
    case FileKind::kDirectory:
      return "directory " + mode;
    case FileKind::kOther:
      return "special file " + mode;
  }
  return mode;
}

StringMap files_of(const Definition& definition) {
  StringMap out;
  if (const BuildContextBase* context = context_of(definition)) {
    for (const ContextFile* file : kept_files(*context)) {
      out[file->path] = show_file(*file);
    }
  }
  return out;
}

using Single = std::optional<std::string>;

Single image_of(const Definition& definition) {
  const auto* image = std::get_if<ImageBase>(&definition.base);
  return image != nullptr ? Single(image->reference) : Single();
}

Single dockerfile_path_of(const Definition& definition) {
  const BuildContextBase* context = context_of(definition);
  return context != nullptr ? Single(context->dockerfile_path) : Single();
}

Single uri_of(const Definition& definition) {
  const BuildContextBase* context = context_of(definition);
  return context != nullptr && !context->uri.empty() ? Single(context->uri) : Single();
}

Single show_route(const std::optional<InferenceRoute>& route) {
  return route ? Single(fmt::format("{}:{}", route->path, route->port)) : Single();
}

std::string_view os_of(const Definition& definition) {
  return definition.os_type == OsType::kLinux ? "linux" : "windows";
}

class Differ {
 public:
  Differ(const Definition& before, const Definition& after) : before_(before), after_(after) {}

  std::vector<Change> run() {
    single("image", "image", image_of(before_), image_of(after_));
    in_place("dockerfile", steps_of(before_), steps_of(after_));
    single("dockerfile", "path", dockerfile_path_of(before_), dockerfile_path_of(after_));
    single("context", "uri", uri_of(before_), uri_of(after_));
    map("context", files_of(before_), files_of(after_));
    conda();
    pip();
    apt();
    map("variables", before_.environment_variables, after_.environment_variables);
    map("conda-variables", before_.conda ? before_.conda->variables : StringMap(),
        after_.conda ? after_.conda->variables : StringMap());
    inference();
    single("os", "os_type", std::string(os_of(before_)), std::string(os_of(after_)));
    return std::move(out_);
  }

 private:
  void add(std::string_view section, ChangeKind kind, const std::string& name,
           const std::string& before, const std::string& after) {
    out_.push_back({std::string(section), kind, hide_passwords(name), hide_passwords(before),
                    hide_passwords(after)});
  }

  void single(std::string_view section, const std::string& name, const Single& before,
              const Single& after) {
    if (before != after) {
      const ChangeKind kind = !before  ? ChangeKind::kAdded
                              : !after ? ChangeKind::kRemoved
                                       : ChangeKind::kChanged;
      add(section, kind, name, before.value_or(""), after.value_or(""));
    }
  }

  void map(std::string_view section, const StringMap& before, const StringMap& after) {
    const auto find = [](const StringMap& in, const std::string& key) {
      const auto found = in.find(key);
      return found == in.end() ? Single() : Single(found->second);
    };
    StringMap all = before;
    all.insert(after.begin(), after.end());
    for (const auto& [key, value] : all) {
      single(section, key, find(before, key), find(after, key));
    }
  }

  void edit(std::string_view section, const Edit& one, const Entries& before,
            const Entries& after) {
    if (one.kind == ChangeKind::kMoved) {
      add(section, *one.kind, after[*one.after].name, std::to_string(*one.before + 1),
          std::to_string(*one.after + 1));
    } else {
      add(section, *one.kind, one.after ? after[*one.after].name : before[*one.before].name,
          one.before ? before[*one.before].text : "", one.after ? after[*one.after].text : "");
    }
  }

  static std::vector<std::string> keys(const Entries& list, std::string Entry::* key) {
    std::vector<std::string> out;
    out.reserve(list.size());
    for (const Entry& entry : list) {
      out.push_back(entry.*key);
    }
    return out;
  }

  // Lists whose order is what they say: in their own order, by the whole entry.
  void in_place(std::string_view section, const Entries& before, const Entries& after) {
    for (const Edit& one :
         join_changed(align(keys(before, &Entry::key), keys(after, &Entry::key)))) {
      if (one.kind) {
        edit(section, one, before, after);
      }
    }
  }

  // Packages: matched and sorted by name. One that changed and moved is told as changed.
  void by_name(std::string_view section, const Entries& before, const Entries& after) {
    const std::size_t first = out_.size();
    for (Edit one : align(keys(before, &Entry::name), keys(after, &Entry::name))) {
      if (one.before && one.after && before[*one.before].key != after[*one.after].key) {
        one.kind = ChangeKind::kChanged;
      }
      if (one.kind) {
        edit(section, one, before, after);
      }
    }
    std::stable_sort(out_.begin() + static_cast<std::ptrdiff_t>(first), out_.end(),
                     [](const Change& a, const Change& b) { return a.name < b.name; });
  }

  void conda() {
    static const CondaSection kNone;
    const CondaSection& before = before_.conda ? *before_.conda : kNone;
    const CondaSection& after = after_.conda ? *after_.conda : kNone;
    const std::size_t first = out_.size();
    in_place("channels", entries(before.channels, channel_entry),
             entries(after.channels, channel_entry));
    if (before.nodefaults != after.nodefaults) {
      add("channels", after.nodefaults ? ChangeKind::kAdded : ChangeKind::kRemoved, "nodefaults",
          before.nodefaults ? "nodefaults" : "", after.nodefaults ? "nodefaults" : "");
    }
    in_place("platforms", entries(before.platforms, same_name),
             entries(after.platforms, same_name));
    by_name("conda", entries(before.dependencies, conda_entry),
            entries(after.dependencies, conda_entry));
    if (out_.size() == first && before_.conda.has_value() != after_.conda.has_value()) {
      add("conda", after_.conda ? ChangeKind::kAdded : ChangeKind::kRemoved, "conda part",
          before_.conda ? "empty" : "", after_.conda ? "empty" : "");
    }
  }

  void pip() {
    static const PipSection kNone;
    by_name("pip", entries(before_.pip.value_or(kNone).lines, pip_entry),
            entries(after_.pip.value_or(kNone).lines, pip_entry));
  }

  void apt() {
    static const AptSection kNone;
    by_name("apt", entries(before_.apt.value_or(kNone).packages, apt_entry),
            entries(after_.apt.value_or(kNone).packages, apt_entry));
  }

  void inference() {
    const InferenceConfig before = before_.inference.value_or(InferenceConfig());
    const InferenceConfig after = after_.inference.value_or(InferenceConfig());
    const std::size_t first = out_.size();
    single("inference", "liveness", show_route(before.liveness), show_route(after.liveness));
    single("inference", "readiness", show_route(before.readiness), show_route(after.readiness));
    single("inference", "scoring", show_route(before.scoring), show_route(after.scoring));
    if (out_.size() == first) {
      const auto presence = [](bool present) { return present ? Single("empty") : Single(); };
      single("inference", "inference_config", presence(before_.inference.has_value()),
             presence(after_.inference.has_value()));
    }
  }

  const Definition& before_;
  const Definition& after_;
  std::vector<Change> out_;
};

}  // namespace

std::string_view to_string(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kAdded:
      return "added";
    case ChangeKind::kRemoved:
      return "removed";
    case ChangeKind::kChanged:
      return "changed";
    case ChangeKind::kMoved:
      return "moved";
  }
  return "changed";
}

std::vector<Change> diff(const Definition& before, const Definition& after) {
  return Differ(before, after).run();
}

}  // namespace cloche::definition
