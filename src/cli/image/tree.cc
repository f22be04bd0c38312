// `cloche image tree`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/image/record.h"
#include "cli/messages.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct TreeOptions {
  std::string name;
  std::string platform = "linux-64";
};

std::string layer_text(const Json& layer, bool last) {
  std::string out =
      fmt::format("{} {}  {}", last ? "└──" : "├──", short_digest(layer.string_or_empty("digest")),
                  bytes_text(static_cast<std::uint64_t>(layer["size"].as_integer())));
  const Json::Array& packages = layer["packages"].items();
  if (packages.empty()) {
    const std::string step = collapse_blanks(layer.string_or_empty("created_by"));
    return out + (step.empty() ? "\n" : fmt::format("  {}\n", printable(step)));
  }
  out += '\n';
  for (const Json& one : packages) {
    out += fmt::format("{}   {} {}\n", last ? " " : "│", &one == &packages.back() ? "└──" : "├──",
                       printable(one.as_string()));
  }
  return out;
}

std::string text(const Json& data, const Style& /*style*/) {
  std::string out = fmt::format("{}  {}\n", printable(data.string_or_empty("name")),
                                bytes_text(static_cast<std::uint64_t>(data["size"].as_integer())));
  const Json::Array& layers = data["layers"].items();
  for (const Json& layer : layers) {
    out += layer_text(layer, &layer == &layers.back());
  }
  return out;
}

Result<Report> run_tree(const TreeOptions& options, Context& context) {
  const FoundImage image = TRY(find_image(options.name, options.platform, layout_of(context)));
  Json data = image_side(image);
  data.set("layers", layer_records(image));
  return Report{.data = std::move(data), .text = text};
}

constexpr std::array<Argument, 2> kArguments = {{
    {.name = "NAME",
     .help = "The image: its name, or its manifest's digest",
     .required = true,
     .source = Source::kImages,
     .field = kField<&TreeOptions::name>},
    {.name = "platform",
     .value = "PLATFORM",
     .help = "Which image of an index (default: linux-64)",
     .field = kField<&TreeOptions::platform>},
}};

constexpr std::array<Example, 1> kExamples = {{
    {"Which layer holds what", "cloche image tree train:1"},
}};

}  // namespace

const Command kImageTree = {
    .path = "image tree",
    .summary = "show which layer holds which packages",
    .description =
        "Draws an image's layers, the lowest first, each with its compressed size and its "
        "packages; a layer of the base with the step that made it.",
    .arguments = kArguments,
    .examples = kExamples,
    .see_also = "image show, image diff",
    .run = run<TreeOptions, run_tree>,
};

}  // namespace cloche::cli
