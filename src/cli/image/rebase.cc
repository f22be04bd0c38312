// `cloche image rebase`
#include <array>

#include <fmt/format.h>

#include "blob/lease.h"
#include "build/base_image.h"
#include "cli/base_library.h"
#include "cli/channels.h"
#include "cli/command_table.h"
#include "cli/image/record.h"
#include "cli/interrupt.h"
#include "cli/messages.h"
#include "core/text.h"
#include "image/glibc.h"

namespace cloche::cli {
namespace {

struct RebaseOptions {
  std::string image;
  std::string onto;
  std::string name;
  std::string platform = "linux-64";
};

std::string image_rebase_text(const Json& data, const Style& /*style*/) {
  return fmt::format("{}@{}: {} layers of {} on {} of {}\n",
                     printable(data.string_or_empty("name")), data.string_or_empty("digest"),
                     data["layers"].as_integer(), printable(data["image"].string_or_empty("name")),
                     data["base_layers"].as_integer(), printable(data.string_or_empty("onto")));
}

// "train:1" on "docker.io/library/python:3.12-slim" is "train:1-python-3.12-slim".
std::string name_on(std::string_view image, std::string_view base) {
  std::string out = std::string(image) + "-";
  const std::size_t digest = base.find('@');
  const std::string_view tagged = base.substr(0, digest);
  const std::size_t slash = tagged.rfind('/');
  for (const char c : slash == std::string_view::npos ? tagged : tagged.substr(slash + 1)) {
    out += c == ':' ? '-' : c;
  }
  return digest == std::string_view::npos ? out
                                          : out + "-" + std::string(base.substr(digest + 8, 12));
}

Status check_fits(const FoundImage& image, const image::Environment& environment,
                  const image::BaseImage& onto, const image::CLibrary& library) {
  const image::Platform& wanted = image.documents.config.platform;
  if (image::suits(onto.config.platform, wanted) == 0) {
    return fail(ErrorKind::kInvalid, "{} is for {}, and {} for {}", printable(onto.reference),
                onto.config.platform.to_string(), printable(image.name), wanted.to_string())
        .with_hint("choose a base for the same processor");
  }
  const std::vector<std::string> unmet =
      TRY(image::unmet_needs(environment.settings.needs, library));
  if (!unmet.empty()) {
    return fail(ErrorKind::kConflict, "{} has {}, and packages of {} need {}",
                printable(onto.reference), library.to_string(), printable(image.name),
                printable(join(unmet, " and ")))
        .with_hint("choose a newer base, or build for it: cloche env build chooses older packages");
  }
  return {};
}

// A collection that began before our lease may have taken layers of an image that somebody has just
// deleted; what is there now stays.
Status use_layers(const image::Manifest& manifest, const image::Layout& layout) {
  for (const image::Descriptor& layer : manifest.layers) {
    if (!layout.blobs().use(layer.digest)) {
      return fail(ErrorKind::kNotFound, "the layer {} is not there",
                  short_digest(layer.digest.to_string()))
          .with_hint("pull or build the image again");
    }
  }
  return {};
}

Result<Report> run_rebase(const RebaseOptions& options, Context& context) {
  if (options.onto.empty()) {
    return fail(ErrorKind::kUsage, "the base is missing")
        .with_hint("--onto BASE, an image of the workspace: see cloche image list");
  }
  const Interrupt interrupt;
  const image::Layout layout = layout_of(context);
  // From before the layers are looked at until the new image has its name.
  const blob::Lease lease = TRY(blob::Lease::take(layout.root()));
  const FoundImage image = TRY(find_image(options.image, options.platform, layout));
  const image::BaseImage onto =
      TRY(build::local_base(options.onto, image.documents.config.platform, layout));
  const image::ImageDocuments made = TRY(image::rebase(image.documents, onto));
  const image::CLibrary library = TRY(base_library(onto, layout, interrupt.token(), context));
  const image::Environment environment = image.environment.value_or(image::Environment{});
  TRY(check_fits(image, environment, onto, library));
  TRY(use_layers(made.manifest, layout));
  const image::Descriptor manifest =
      TRY(image::put_image(layout.blobs(), made.manifest, made.config));
  const std::string name =
      options.name.empty() ? name_on(options.image, options.onto) : options.name;
  TRY(layout.set(name, manifest));
  Json data;
  data.set("name", name)
      .set("digest", manifest.digest.to_string())
      .set("image", image_side(image))
      .set("onto", onto.reference)
      .set("onto_digest", onto.digest.empty() ? Json() : Json(onto.digest.to_string()))
      .set("c_library", library.to_string())
      .set("base_layers", static_cast<std::int64_t>(onto.manifest.layers.size()))
      .set("layers", static_cast<std::int64_t>(environment.layers.size()));
  return Report{.data = std::move(data), .text = image_rebase_text};
}

constexpr std::array<Argument, 4> kImageRebaseArguments = {{
    {.name = "IMAGE",
     .help = "An image that env build made: its name, or its manifest's digest",
     .required = true,
     .source = Source::kImages,
     .field = kField<&RebaseOptions::image>},
    {.name = "onto",
     .value = "BASE",
     .help = "The new base: an image of the workspace, or scratch",
     .source = Source::kImages,
     .field = kField<&RebaseOptions::onto>},
    {.name = "name",
     .value = "NAME",
     .help = "What the new image is called (default: IMAGE-BASE)",
     .field = kField<&RebaseOptions::name>},
    {.name = "platform",
     .value = "PLATFORM",
     .help = "Which image, where IMAGE is an index (default: linux-64)",
     .field = kField<&RebaseOptions::platform>},
}};

constexpr std::array<Example, 2> kImageRebaseExamples = {{
    {"Take the base's security update, without building",
     "cloche image rebase train:1 --onto python:3.12-slim"},
    {"Under a name of one's own",
     "cloche image rebase train:1 --onto debian:12 --name train:1-secure"},
}};

}  // namespace

const Command kImageRebase = {
    .path = "image rebase",
    .summary = "put an environment's image onto another base",
    .description =
        "Makes the image of the same packages on another base, of which the workspace has the "
        "layers. Only a manifest and a config are written, so it takes as long for 10 GB as for "
        "nothing, and pushing it sends no package again. The result is the same, digest by digest, "
        "as building these packages on that base.\n\n"
        "Refused when the base is for another processor, when its C library (glibc) is older than "
        "a package asks for, and when there would be more layers than engines take.",
    .arguments = kImageRebaseArguments,
    .examples = kImageRebaseExamples,
    .exit_codes =
        "3  no environment in the image, or a base for another processor\n"
        "5  the base's glibc is too old",
    .see_also = "env build, image list, image diff",
    .run = run<RebaseOptions, run_rebase>,
};

}  // namespace cloche::cli
