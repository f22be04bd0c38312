// `cloche image show`
#include <array>

#include <fmt/format.h>

#include "cli/image/choice.h"
#include "cli/image/record.h"
#include "cli/messages.h"
#include "cli/table.h"
#include "core/text.h"
#include "image/json_fields.h"

namespace cloche::cli {
namespace {

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> out;
  for (const Json& one : list.items()) {
    out.push_back(one.as_string());
  }
  return out;
}

std::string layer_table(const Json& layers, const Style& style) {
  Table table({"LAYER", "SIZE", "HOLDS"});
  for (const Json& one : layers.items()) {
    const std::vector<std::string> packages = texts_of(one["packages"]);
    table.add({short_digest(one.string_or_empty("digest")),
               bytes_text(static_cast<std::uint64_t>(one["size"].as_integer())),
               packages.empty() ? collapse_blanks(one.string_or_empty("created_by"))
                                : join(packages, ", ")});
  }
  return table.render(style);
}

std::string image_show_text(const Json& data, const Style& style) {
  std::vector<std::string> labels;
  for (const auto& [name, value] : data["labels"].members()) {
    labels.push_back(name + "=" + value.as_string());
  }
  Sheet sheet;
  sheet.add("name", data.string_or_empty("name"));
  sheet.add("digest", data.string_or_empty("digest"));
  sheet.add("size", bytes_text(static_cast<std::uint64_t>(data["size"].as_integer())));
  sheet.add("platform", data.string_or_empty("platform"));
  sheet.add("base", data["base"].string_or_empty("reference"));
  sheet.add("", data["base"].string_or_empty("digest"));
  sheet.add("needs", texts_of(data["needs"]));
  sheet.add("user", data.string_or_empty("user"));
  sheet.add("directory", data.string_or_empty("working_dir"));
  sheet.add("entrypoint", join(texts_of(data["entrypoint"]), " "));
  sheet.add("command", join(texts_of(data["cmd"]), " "));
  sheet.add("variables", texts_of(data["env"]));
  sheet.add("labels", labels);
  return sheet.render(style) + "\n" + layer_table(data["layers"], style);
}

Result<Report> run_show(const ImageChoice& options, Context& context) {
  const FoundImage image = TRY(find_image(options.name, options.platform, layout_of(context)));
  const image::ImageConfig& config = image.documents.config;
  const std::vector<std::string> needs =
      image.environment ? image.environment->settings.needs : std::vector<std::string>();
  Json data = image_side(image);
  data.set("platform", config.platform.to_string())
      .set("created", text_or_null(config.created))
      .set("base", base_record(image))
      .set("packages_digest",
           image.environment ? Json(image.environment->settings.packages.to_string()) : Json())
      .set("needs", image::to_json(needs))
      .set("user", text_or_null(config.user))
      .set("working_dir", text_or_null(config.working_dir))
      .set("entrypoint", image::to_json(config.entrypoint))
      .set("cmd", image::to_json(config.cmd))
      .set("env", image::to_json(config.env))
      .set("labels", image::to_json(config.labels))
      .set("layers", layer_records(image));
  return Report{.data = std::move(data), .text = image_show_text};
}

constexpr std::array<Example, 2> kImageShowExamples = {{
    {"An environment's image", "cloche image show train:1"},
    {"What its packages ask of a base", "cloche image show train:1 --output json | jq .needs"},
}};

}  // namespace

const Command kImageShow = {
    .path = "image show",
    .summary = "show an image's settings and layers",
    .description =
        "Shows how an image runs (variables, user, entrypoint), its labels, the base that it "
        "stands on, and its layers with their sizes, the lowest first: the base's with the step "
        "that made them, the environment's with the packages that they hold.",
    .arguments = kImageChoiceArguments<ImageChoice>,
    .examples = kImageShowExamples,
    .see_also = "image tree, image diff, image list",
    .run = run<ImageChoice, run_show>,
};

}  // namespace cloche::cli
