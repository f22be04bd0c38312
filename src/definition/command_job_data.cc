#include "definition/command_job_data.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/credentials.h"
#include "core/files.h"
#include "core/text.h"
#include "definition/command_job_keys.h"
#include "definition/yaml_fields.h"

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxEntries = 1000;

Status check_data_name(const YamlNode& key) {
  const bool good =
      !key.text.empty() && key.text.size() <= 255 && std::ranges::all_of(key.text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
      });
  if (!good) {
    return wrong(key, fmt::format("'{}' is no name of an input or output", printable(key.text)),
                 "letters, digits and '_': the command names it as ${{inputs.NAME}}");
  }
  return {};
}

Status check_mapping(const YamlNode& node, std::string_view what) {
  if (!node.is_mapping()) {
    return wrong(node, fmt::format("{} is a mapping of names, not {}", what, node.kind_name()),
                 "write each as an indented line 'name: ...'");
  }
  if (node.members.size() > kMaxEntries) {
    return wrong(node, fmt::format("more than {} {}", kMaxEntries, what));
  }
  return {};
}

// What people call kinds of data.
struct DataType {
  std::string_view name;
  JobInput::Kind kind;
};
constexpr std::array<DataType, 6> kTypes = {{{"uri_folder", JobInput::Kind::kFolder},
                                             {"uri_file", JobInput::Kind::kFile},
                                             {"path", JobInput::Kind::kAny},
                                             {"custom_model", JobInput::Kind::kAny},
                                             {"mlflow_model", JobInput::Kind::kFolder},
                                             {"triton_model", JobInput::Kind::kFolder}}};

Result<JobInput::Kind> read_type(const YamlNode* node, JobInput::Kind missing) {
  if (node == nullptr || node->is_null()) {
    return missing;
  }
  const std::string text = TRY(filled_text(*node));
  if (text == "mltable") {
    return fail_at(*node, ErrorKind::kUnsupported, "mltable is read by Azure's service only",
                   "write the table into a file, and give that as uri_file or uri_folder");
  }
  static constexpr std::array<std::string_view, 4> kLiterals = {"string", "number", "integer",
                                                                "boolean"};
  if (std::ranges::find(kLiterals, text) != kLiterals.end()) {
    return wrong(*node, fmt::format("a {} is written as the input's value itself", text),
                 "NAME: VALUE, without 'type'");
  }
  const auto* found = std::ranges::find(kTypes, text, &DataType::name);
  if (found == kTypes.end()) {
    std::vector<std::string_view> names;
    std::ranges::transform(kTypes, std::back_inserter(names), &DataType::name);
    const std::string_view near = nearest(text, names);
    return wrong(*node, fmt::format("unknown type '{}'", printable(text)),
                 near.empty() ? std::string("uri_file or uri_folder")
                              : fmt::format("did you mean {}?", near));
  }
  return found->kind;
}

// Whether the job may write there is the only part of a mode that matters on one machine.
Status check_mode(const YamlNode* node, std::span<const std::string_view> modes,
                  std::string_view what) {
  if (node == nullptr || node->is_null()) {
    return {};
  }
  const std::string text = TRY(filled_text(*node));
  if (std::ranges::find(modes, text) != modes.end()) {
    return {};
  }
  if (text == "rw_mount") {
    return fail_at(*node, ErrorKind::kUnsupported, "an input is read-only here",
                   "name an output for what the job writes, or copy the input in the command");
  }
  if (text == "direct" || text.starts_with("eval_")) {
    return fail_at(*node, ErrorKind::kUnsupported,
                   fmt::format("the mode {} is of Azure's service only", text),
                   fmt::format("{} modes are {}", what, fmt::join(modes, ", ")));
  }
  const std::string_view near = nearest(text, modes);
  return wrong(*node, fmt::format("unknown mode '{}'", printable(text)),
               near.empty() ? fmt::format("{} modes are {}", what, fmt::join(modes, ", "))
                            : fmt::format("did you mean {}?", near));
}

constexpr std::array<ForeignKey, 2> kIgnoredOfData = {{
    {"description", ForeignKey::Meaning::kIgnored, "of an input or output is not kept"},
    {"optional", ForeignKey::Meaning::kIgnored, "is of components; the input is there"},
}};

Result<JobInput> read_input(const YamlNode& node, const std::string& directory,
                            Diagnostics& diagnostics) {
  JobInput out;
  out.at = node.at;
  if (node.is_scalar()) {
    if (node.is_null()) {
      return wrong(node, "the input has no value", "write it behind the colon, \"\" for nothing");
    }
    out.value = TRY(text_of(node));
    return out;
  }
  if (!node.is_mapping()) {
    return wrong(node, fmt::format("an input is a value or a mapping with a path, not {}",
                                   node.kind_name()));
  }
  static constexpr std::array<std::string_view, 3> kKeys = {"type", "path", "mode"};
  TRY(judge_members(node, kKeys, kIgnoredOfData, "inputs", diagnostics));
  static constexpr std::array<std::string_view, 2> kModes = {"ro_mount", "download"};
  TRY(check_mode(node.find("mode"), kModes, "input"));
  const YamlNode* path = node.find("path");
  if (path == nullptr || path->is_null()) {
    return wrong(node, "the input has no path", "path: FILE-OR-FOLDER, relative to the job file");
  }
  out.kind = TRY(read_type(node.find("type"), JobInput::Kind::kAny));
  auto local = local_data_path(TRY(filled_text(*path)), directory);
  if (!local) {
    return placed(std::move(local).error(), *path);
  }
  out.value = std::move(*local);
  out.at = path->at;
  return out;
}

Result<JobOutput> read_output(const YamlNode& node, Diagnostics& diagnostics) {
  JobOutput out;
  out.at = node.at;
  if (node.is_null()) {
    return out;
  }
  if (!node.is_mapping()) {
    return wrong(node, fmt::format("an output is a mapping or nothing, not {}", node.kind_name()),
                 "NAME: {type: uri_folder}");
  }
  static constexpr std::array<std::string_view, 3> kKeys = {"type", "path", "mode"};
  static constexpr std::array<ForeignKey, 4> kForeign = {{
      {"description", ForeignKey::Meaning::kIgnored, "of an input or output is not kept"},
      {"name", ForeignKey::Meaning::kIgnored, "would register a data asset in Azure"},
      {"version", ForeignKey::Meaning::kIgnored, "would register a data asset in Azure"},
      {"early_available", ForeignKey::Meaning::kIgnored, "is of pipelines"},
  }};
  TRY(judge_members(node, kKeys, kForeign, "outputs", diagnostics));
  static constexpr std::array<std::string_view, 2> kModes = {"rw_mount", "upload"};
  TRY(check_mode(node.find("mode"), kModes, "output"));
  const JobInput::Kind kind = TRY(read_type(node.find("type"), JobInput::Kind::kFolder));
  out.kind = kind == JobInput::Kind::kFile ? JobOutput::Kind::kFile : JobOutput::Kind::kFolder;
  if (const YamlNode* path = node.find("path"); path != nullptr && !path->is_null()) {
    diagnostics.warn("job-output-path", path->at,
                     "outputs are kept with the job; the path is not written to",
                     "cloche job download NAME --output-name OUTPUT --to FOLDER copies them");
  }
  return out;
}

}  // namespace

Result<std::string> local_data_path(const std::string& text, const std::string& directory) {
  if (text.find('\n') != std::string::npos || text.find('\0') != std::string::npos) {
    return fail(ErrorKind::kInvalid, "a path of several lines");
  }
  if (text.starts_with("azureml:")) {
    return fail(ErrorKind::kUnsupported, "'{}' lies in an Azure workspace", printable(text))
        .with_hint("fetch it with az ml data, and write the path of the file or folder");
  }
  if (text.starts_with("file://")) {
    return text.substr(std::string_view("file://").size());
  }
  if (text.starts_with("file:")) {
    return join_path(directory, text.substr(std::string_view("file:").size()));
  }
  const std::size_t scheme = text.find("://");
  if (scheme != std::string::npos && text.find('/') > scheme) {
    return fail(ErrorKind::kUnsupported, "'{}' is not on this machine", printable(shown_url(text)))
        .with_hint("download it first, and write the path of the file");
  }
  return join_path(directory, text);
}

Result<std::map<std::string, JobInput>> read_job_inputs(const YamlNode& node,
                                                        const std::string& file,
                                                        Diagnostics& diagnostics) {
  TRY(check_mapping(node, "inputs"));
  std::map<std::string, JobInput> out;
  for (const auto& [key, value] : node.members) {
    TRY(check_data_name(key));
    out[key.text] =
        TRY(read_input(value, parent_path(file), diagnostics).context("reading '{}'", key.text));
  }
  return out;
}

Result<std::map<std::string, JobOutput>> read_job_outputs(const YamlNode& node,
                                                          Diagnostics& diagnostics) {
  TRY(check_mapping(node, "outputs"));
  std::map<std::string, JobOutput> out;
  for (const auto& [key, value] : node.members) {
    TRY(check_data_name(key));
    out[key.text] = TRY(read_output(value, diagnostics).context("reading '{}'", key.text));
  }
  return out;
}

}  // namespace cloche::definition
