// `cloche image tree`
#include <array>

#include <fmt/format.h>

#include "cli/image/choice.h"
#include "cli/image/record.h"
#include "cli/messages.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

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
  const Json::Array& sizes = layer["package_sizes"].items();
  for (std::size_t i = 0; i < packages.size(); ++i) {
    const std::string size =
        i < sizes.size() && packages.size() > 1
            ? "  " + bytes_text(static_cast<std::uint64_t>(sizes[i].as_integer()))
            : "";
    out += fmt::format("{}   {} {}{}\n", last ? " " : "│", i + 1 == packages.size() ? "└──" : "├──",
                       printable(packages[i].as_string()), size);
  }
  return out;
}

std::string image_tree_text(const Json& data, const Style& /*style*/) {
  std::string out = fmt::format("{}  {}\n", printable(data.string_or_empty("name")),
                                bytes_text(static_cast<std::uint64_t>(data["size"].as_integer())));
  const Json::Array& layers = data["layers"].items();
  for (const Json& layer : layers) {
    out += layer_text(layer, &layer == &layers.back());
  }
  return out;
}

Result<Report> run_tree(const ImageChoice& options, Context& context) {
  const FoundImage image = TRY(find_image(options.name, options.platform, layout_of(context)));
  Json data = image_side(image);
  data.set("layers", layer_records(image));
  return Report{.data = std::move(data), .text = image_tree_text};
}

constexpr std::array<Example, 1> kImageTreeExamples = {{
    {"Which layer holds what", "cloche image tree train:1"},
}};

}  // namespace

const Command kImageTree = {
    .path = "image tree",
    .summary = "show which layer holds which packages",
    .description =
        "Draws an image's layers, the lowest first, each with its compressed size and its "
        "packages, where there are several with their sizes too; a layer of the base with the step "
        "that made it.",
    .arguments = kImageChoiceArguments<ImageChoice>,
    .examples = kImageTreeExamples,
    .see_also = "image show, image diff",
    .run = run<ImageChoice, run_tree>,
};

}  // namespace cloche::cli
