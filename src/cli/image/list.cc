// `cloche image list`
#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/record.h"
#include "cli/image/record.h"
#include "cli/messages.h"
#include "cli/table.h"

namespace cloche::cli {
namespace {

struct ListOptions {};

std::string image_list_text(const Json& data, const Style& style) {
  if (data["images"].items().empty()) {
    return "no images\n";
  }
  Table table({"NAME", "DIGEST", "SIZE", "ENVIRONMENT", "BASE"});
  for (const Json& one : data["images"].items()) {
    const Json& size = one["size"];
    table.add({one.string_or_empty("name"), short_digest(one.string_or_empty("digest")),
               size.is_null() ? "" : bytes_text(static_cast<std::uint64_t>(size.as_integer())),
               one.string_or_empty("environment"), one["base"].string_or_empty("reference")});
  }
  return table.render(style);
}

// Which registered version an image belongs to, by the names that it has: env build gives an image
// its version's beside the fingerprint's.
std::map<Digest, std::string> environments_of(const std::vector<image::StoredImage>& images,
                                              Context& context) {
  std::map<Digest, std::string> out;
  const auto workspace = context.workspace(false);
  if (!workspace) {
    return out;
  }
  for (const image::StoredImage& one : images) {
    const auto reference = parse_environment_reference(one.name);
    if (reference && !reference->version.empty() && (*workspace)->get(*reference)) {
      out.emplace(one.manifest.digest, one.name);
    }
  }
  return out;
}

Json record_of(const image::StoredImage& one, const std::string& environment,
               const image::Layout& layout) {
  Json record;
  record.set("name", text_or_null(one.name)).set("digest", one.manifest.digest.to_string());
  // What is damaged or not fetched whole is listed all the same.
  const auto image = read_image(one.name, one.manifest.digest, {}, layout);
  record.set("size", image ? Json(static_cast<std::int64_t>(total_bytes(*image))) : Json())
      .set(
          "layer_count",
          image ? Json(static_cast<std::int64_t>(image->documents.manifest.layers.size())) : Json())
      .set("platform", image ? Json(image->documents.config.platform.to_string()) : Json())
      .set("environment", text_or_null(environment))
      .set("base", image ? base_record(*image) : Json());
  return record;
}

Result<Report> run_list(const ListOptions& /*options*/, Context& context) {
  const image::Layout layout = layout_of(context);
  std::vector<image::StoredImage> images = TRY(layout.list());
  std::ranges::sort(images, {}, &image::StoredImage::name);
  const std::map<Digest, std::string> environments = environments_of(images, context);
  Json list = Json::array();
  for (const image::StoredImage& one : images) {
    const auto environment = environments.find(one.manifest.digest);
    list.push(record_of(one, environment == environments.end() ? "" : environment->second, layout));
  }
  Json data;
  data.set("images", std::move(list));
  return Report{.data = std::move(data), .text = image_list_text};
}

constexpr std::array<Example, 2> kImageListExamples = {{
    {"What there is", "cloche image list"},
    {"Names only", "cloche image list --output json | jq -r '.images[].name'"},
}};

}  // namespace

const Command kImageList = {
    .path = "image list",
    .summary = "list images",
    .description =
        "Lists the images of the workspace by name: those that env build made, under the name that "
        "comes from the fingerprint and under the version's, and those that were fetched or "
        "imported. Sizes are what a registry would hold, of one image alone; what images share is "
        "stored once.",
    .examples = kImageListExamples,
    .see_also = "image show, image delete, env build",
    .run = run<ListOptions, run_list>,
};

}  // namespace cloche::cli
