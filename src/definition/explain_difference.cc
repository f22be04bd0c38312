// Works on the JSON that is hashed, and on nothing else: where that differs, so do the
// fingerprints.
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/credentials.h"
#include "definition/alignment.h"
#include "definition/byte_text.h"
#include "definition/fingerprint.h"

namespace cloche::definition {
namespace {

// Explanations end in terminals and logs, so no password in a URL is in them.
std::string plain(const Json& text) { return hide_passwords(text_from_json(text).value_or("")); }

std::string path_of(const Json& file) { return text_from_json(file["path"]).value_or(""); }

std::string show_text(const Json& item) { return plain(item); }

std::string show_package(const Json& item) {
  const std::string selector = plain(item["selector"]);
  return plain(item["text"]) + (selector.empty() ? "" : " [" + selector + "]");
}

std::string show_pip(const Json& item) {
  const bool constraint = item.string_or_empty("kind") == "constraint";
  return (constraint ? "constraint " : "") + plain(item["text"]);
}

std::string show_file(const Json& item) {
  const std::string type = item.string_or_empty("type");
  if (type == "symlink") {
    return "link to " + plain(item["target"]);
  }
  return type == "file" ? item.string_or_empty("digest") + " " + item.string_or_empty("mode")
                        : type + " " + item.string_or_empty("mode");
}

using Show = std::string (*)(const Json&);

struct ListInput {
  std::string_view section;  // of fingerprint_input(); "" for the top
  std::string_view key;
  std::string_view name;  // "conda package", before its number
  Show show;
};

constexpr std::array<ListInput, 6> kLists = {{
    {"base", "steps", "docker step", show_text},
    {"conda", "channels", "conda channel", show_text},
    {"conda", "platforms", "conda platform", show_text},
    {"conda", "packages", "conda package", show_package},
    {"", "pip", "pip line", show_pip},
    {"", "apt", "apt package", show_text},
}};

struct SingleInput {
  std::string_view section;
  std::string_view key;
  std::string_view name;
};

constexpr std::array<SingleInput, 5> kSingles = {{
    {"base", "image", "base image"},
    {"base", "uri", "remote build context"},
    {"base", "dockerfile_path", "Dockerfile of the remote build context"},
    {"base", "text", "unreadable Dockerfile"},
    {"conda", "nodefaults", "conda nodefaults"},
}};

const Json& part(const Json& input, std::string_view section, std::string_view key) {
  return section.empty() ? input[key] : input[section][key];
}

std::string show_single(const Json& value) {
  return value.is_bool() ? (value.as_bool() ? "true" : "false") : plain(value);
}

const Json::Array& items_of(const Json& json) {
  static const Json::Array kNothing;
  return json.is_array() ? json.items() : kNothing;
}

std::vector<std::string> keys_of(const Json::Array& items) {
  std::vector<std::string> keys;
  keys.reserve(items.size());
  for (const Json& item : items) {
    keys.push_back(item.canonical());
  }
  return keys;
}

class Explainer {
 public:
  Explainer(const Json& before, const Json& after) : before_(before), after_(after) {}

  std::vector<InputDifference> run() {
    for (const SingleInput& single : kSingles) {
      compare(single);
    }
    if (before_["conda"].is_null() != after_["conda"].is_null()) {
      const auto presence = [](const Json& conda) { return conda.is_null() ? "" : "present"; };
      out_.push_back({"conda part", presence(before_["conda"]), presence(after_["conda"])});
    }
    for (const ListInput& list : kLists) {
      compare(list);
      if (list.key == "steps") {
        compare_files();
      }
    }
    return std::move(out_);
  }

 private:
  void compare(const SingleInput& single) {
    const Json& before = part(before_, single.section, single.key);
    const Json& after = part(after_, single.section, single.key);
    if (before != after) {
      out_.push_back({std::string(single.name), show_single(before), show_single(after)});
    }
  }

  // Numbers are the new list's, or the old one's for what was removed.
  void compare(const ListInput& list) {
    const Json::Array& before = items_of(part(before_, list.section, list.key));
    const Json::Array& after = items_of(part(after_, list.section, list.key));
    for (const Edit& edit : join_changed(align(keys_of(before), keys_of(after)))) {
      if (!edit.kind) {
        continue;
      }
      const std::size_t place = edit.after.value_or(edit.before.value_or(0)) + 1;
      if (edit.kind == ChangeKind::kMoved) {
        out_.push_back({fmt::format("place of {} {}", list.name, list.show(after[*edit.after])),
                        std::to_string(*edit.before + 1), std::to_string(place)});
        continue;
      }
      out_.push_back({fmt::format("{} {}", list.name, place),
                      edit.before ? list.show(before[*edit.before]) : "",
                      edit.after ? list.show(after[*edit.after]) : ""});
    }
  }

  // By path: both lists are sorted by it.
  void compare_files() {
    const Json::Array& before = items_of(before_["base"]["files"]);
    const Json::Array& after = items_of(after_["base"]["files"]);
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < before.size() || j < after.size()) {
      const std::string old_path = i < before.size() ? path_of(before[i]) : "";
      const std::string new_path = j < after.size() ? path_of(after[j]) : "";
      const bool has_old = j == after.size() || (i < before.size() && old_path <= new_path);
      const bool has_new = i == before.size() || (j < after.size() && new_path <= old_path);
      const Json nothing;
      const Json& old_file = has_old ? before[i++] : nothing;
      const Json& new_file = has_new ? after[j++] : nothing;
      if (old_file != new_file) {
        out_.push_back({"context file " + (has_old ? old_path : new_path),
                        has_old ? show_file(old_file) : "", has_new ? show_file(new_file) : ""});
      }
    }
  }

  const Json& before_;
  const Json& after_;
  std::vector<InputDifference> out_;
};

}  // namespace

std::vector<InputDifference> explain_difference(const Definition& before, const Definition& after) {
  const Json old_input = fingerprint_input(before);
  const Json new_input = fingerprint_input(after);
  return Explainer(old_input, new_input).run();
}

}  // namespace cloche::definition
