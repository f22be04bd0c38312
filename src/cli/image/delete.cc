// `cloche image delete`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/image/record.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct DeleteOptions {
  std::string name;
};

std::string image_delete_text(const Json& data, const Style& /*style*/) {
  return fmt::format("deleted {}\n", printable(data.string_or_empty("name")));
}

Result<Report> run_delete(const DeleteOptions& options, Context& context) {
  const image::Layout layout = layout_of(context);
  const image::Descriptor manifest = TRY(layout.find(options.name));
  TRY(layout.remove(options.name));
  context.hint("what no other image needs is freed with cloche gc");
  Json data;
  data.set("name", options.name).set("digest", manifest.digest.to_string());
  return Report{.data = std::move(data), .text = image_delete_text};
}

constexpr std::array<Argument, 1> kImageDeleteArguments = {{
    {.name = "NAME",
     .help = "The image's name, as image list has it",
     .required = true,
     .source = Source::kImages,
     .field = kField<&DeleteOptions::name>},
}};

constexpr std::array<Example, 1> kImageDeleteExamples = {{
    {"Forget an image that was fetched", "cloche image delete docker.io/library/python:3.11"},
}};

}  // namespace

const Command kImageDelete = {
    .path = "image delete",
    .summary = "take an image's name away",
    .description =
        "Takes the name away. The same image under other names stays, and so do its layers, until "
        "cloche gc frees what nothing needs any more.",
    .arguments = kImageDeleteArguments,
    .examples = kImageDeleteExamples,
    .see_also = "image list, gc",
    .run = run<DeleteOptions, run_delete>,
};

}  // namespace cloche::cli
