// `cloche image pull` and `cloche image push`
#include <array>

#include <fmt/format.h>

#include "cli/channels.h"
#include "cli/command_table.h"
#include "cli/image/exchange.h"
#include "cli/image/record.h"
#include "cli/interrupt.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct PullOptions {
  std::string reference;
  std::string platform = "linux-64";
};

struct PushOptions {
  std::string name;
  std::string to;
};

std::string pulled_text(const Json& data, const Style& /*style*/) {
  return fmt::format("pulled {}@{}\n", printable(data.string_or_empty("name")),
                     data.string_or_empty("digest"));
}

Result<Report> run_pull(const PullOptions& options, Context& context) {
  const Interrupt interrupt;
  const image::Platform platform = TRY(image::parse_platform(options.platform));
  TRY(context.workspace());
  const std::unique_ptr<ChannelAccess> access = TRY(ChannelAccess::open(context));
  const image::PulledImage image =
      TRY(pull_image(options.reference, options.reference, platform, layout_of(context), *access,
                     interrupt.token(), context));
  Json data;
  data.set("name", options.reference)
      .set("digest", image.resolved.manifest.digest.to_string())
      .set("fetched_bytes", static_cast<std::int64_t>(image.fetched_bytes));
  return Report{.data = std::move(data), .text = pulled_text};
}

std::string image_transfer_text(const Json& data, const Style& /*style*/) {
  return pushed_text(data);
}

Result<Report> run_push(const PushOptions& options, Context& context) {
  const Interrupt interrupt;
  const std::string& to = options.to.empty() ? options.name : options.to;
  const image::Layout layout = layout_of(context);
  const image::Descriptor manifest = TRY(layout.find(options.name));
  const std::unique_ptr<ChannelAccess> access = TRY(ChannelAccess::open(context));
  const image::PushedImage pushed =
      TRY(push_image(manifest, to, {}, layout, *access, interrupt.token(), context));
  return Report{.data = pushed_record(pushed, to), .text = image_transfer_text};
}

constexpr std::array<Argument, 2> kPullArguments = {{
    {.name = "IMAGE",
     .help = "What to fetch: python:3.11-slim, registry.example.com/team/train:3",
     .required = true,
     .field = kField<&PullOptions::reference>},
    {.name = "platform",
     .value = "SUBDIR",
     .help = "For which machines, of an image for several (default: linux-64)",
     .choices = "linux-64|linux-aarch64",
     .field = kField<&PullOptions::platform>},
}};

constexpr std::array<Argument, 2> kPushArguments = {{
    {.name = "NAME",
     .help = "The image's name, as image list has it",
     .required = true,
     .source = Source::kImages,
     .field = kField<&PushOptions::name>},
    {.name = "IMAGE",
     .help = "Where to: registry.example.com/team/train:3; without it, NAME is where",
     .field = kField<&PushOptions::to>},
}};

constexpr std::array<Example, 1> kPullExamples = {{
    {"A base image, for builds without a network later", "cloche image pull python:3.11-slim"},
}};

constexpr std::array<Example, 1> kPushExamples = {{
    {"To a team's registry", "cloche image push train:3 registry.example.com/team/train:3"},
}};

}  // namespace

const Command kImagePull = {
    .path = "image pull",
    .summary = "fetch an image from a container registry",
    .description =
        "Fetches the image for one platform into the workspace, under the name it was asked by. "
        "What is there already is not fetched again. Credentials are those of docker and podman; "
        "docs/formats/registry.md has the rules.",
    .arguments = kPullArguments,
    .examples = kPullExamples,
    .exit_codes = "4  there is no such image\n6  credentials are missing or refused",
    .see_also = "image push, image list",
    .run = run<PullOptions, run_pull>,
};

const Command kImagePush = {
    .path = "image push",
    .summary = "send an image to a container registry",
    .description =
        "Sends what the registry lacks of an image of the workspace. Credentials are those of "
        "docker and podman; docs/formats/registry.md has the rules.",
    .arguments = kPushArguments,
    .examples = kPushExamples,
    .exit_codes = "4  there is no such image\n6  credentials are missing or refused",
    .see_also = "env build, image pull",
    .run = run<PushOptions, run_push>,
};

}  // namespace cloche::cli
