// `cloche env show`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/record.h"
#include "cli/table.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct ShowOptions {
  std::string subject;
};

// A text of the stored form: a string, or {"hex": ...} for bytes that are no UTF-8.
std::string text_of(const Json& value) {
  return value.is_string() ? value.as_string() : value.is_object() ? value.dump() : "";
}

std::vector<std::string> texts(const Json& list, std::string_view key) {
  std::vector<std::string> out;
  if (list.is_array()) {
    for (const Json& item : list.items()) {
      out.push_back(text_of(item[key]));
    }
  }
  return out;
}

std::vector<std::string> pairs(const Json& map) {
  std::vector<std::string> out;
  if (map.is_object()) {
    for (const auto& [key, value] : map.members()) {
      out.push_back(fmt::format("{}={}", key, text_of(value)));
    }
  }
  return out;
}

void add_base(const Json& base, Sheet& sheet) {
  sheet.add("base image", text_of(base["image"]));
  sheet.add("dockerfile", text_of(base["dockerfile"]));
  const Json& context = base["context"];
  if (!context.is_object()) {
    return;
  }
  sheet.add("build context", text_of(context["uri"]));
  sheet.add("dockerfile", text_of(context["dockerfile_path"]));
  sheet.add("files", texts(context["files"], "path"));
}

void add_inference(const Json& inference, Sheet& sheet) {
  if (!inference.is_object()) {
    return;
  }
  for (const auto& [name, route] : inference.members()) {
    if (route.is_object()) {
      sheet.add(name,
                fmt::format("{} on port {}", text_of(route["path"]), route["port"].as_integer()));
    }
  }
}

void add_definition(const Json& definition, Sheet& sheet) {
  add_base(definition["base"], sheet);
  const Json& conda = definition["conda"];
  sheet.add("channels", texts(conda["channels"], "text"));
  std::vector<std::string> packages;
  if (conda.is_object()) {
    for (const Json& one : conda["dependencies"].items()) {
      const std::string selector = one.string_or_empty("selector");
      packages.push_back(text_of(one["text"]) + (selector.empty() ? "" : "  # [" + selector + "]"));
    }
  }
  sheet.add("conda", packages);
  sheet.add("pip", texts(definition["pip"]["lines"], "text"));
  sheet.add("apt", texts(definition["apt"]["packages"], "text"));
  sheet.add("variables", pairs(definition["environment_variables"]));
  add_inference(definition["inference"], sheet);
  const std::string os_type = definition.string_or_empty("os_type");
  sheet.add("system", os_type == "linux" ? "" : os_type);
}

std::string env_show_text(const Json& data, const Style& style) {
  std::vector<std::string> labels;
  for (const Json& label : data["labels"].items()) {
    labels.push_back(label.as_string());
  }
  const std::string user = data.string_or_empty("created_by");
  Sheet sheet;
  sheet.add("name", data.string_or_empty("name"));
  sheet.add("version", data.string_or_empty("version"));
  sheet.add("kind", data.string_or_empty("kind"));
  sheet.add("fingerprint", data.string_or_empty("fingerprint"));
  sheet.add("image", data.string_or_empty("image_name"));
  sheet.add("labels", join(labels, ", "));
  sheet.add("archived", data["archived"].as_bool() ? "yes" : "");
  sheet.add("created", data.string_or_empty("created_at") + (user.empty() ? "" : " by " + user));
  sheet.add("description", data.string_or_empty("description"));
  sheet.add("tags", pairs(data["tags"]));
  sheet.add("properties", pairs(data["properties"]));
  add_definition(data["definition"], sheet);
  return sheet.render(style);
}

Result<Report> run_show(const ShowOptions& options, Context& context) {
  const Subject subject = TRY(find_subject(options.subject, context));
  return Report{.data = version_record(subject.entry), .text = env_show_text};
}

constexpr std::array<Argument, 1> kEnvShowArguments = {{
    {.name = "REF",
     .help = "NAME (its latest version), NAME:VERSION, NAME@LABEL, azureml:NAME:VERSION, "
             "azureml://registries/R/environments/NAME/versions/VERSION, or a file or directory",
     .required = true,
     .source = Source::kEnvironmentsAndFiles,
     .field = kField<&ShowOptions::subject>},
}};

constexpr std::array<Example, 4> kEnvShowExamples = {{
    {"The latest version", "cloche env show train"},
    {"An exact one, for a program", "cloche env show train:3 --output json"},
    {"In a registry", "cloche env show azureml://registries/team/environments/train/labels/latest"},
    {"What a file says, without registering it", "cloche env show ./environment.yml"},
}};

}  // namespace

const Command kEnvShow = {
    .path = "env show",
    .summary = "show an environment",
    .description =
        "Shows what is known of a registered version and its whole definition. Archived versions "
        "and anonymous environments are found by their exact version.\n\n"
        "REF is read as a path when it holds a / or a . before any :, or begins with file:, or is "
        "- "
        "(standard input). Other text is a reference; where no environment has that name, a file "
        "of "
        "that name is read.",
    .arguments = kEnvShowArguments,
    .examples = kEnvShowExamples,
    .see_also = "env list, env history, env diff",
    .run = run<ShowOptions, run_show>,
};

}  // namespace cloche::cli
