// `cloche image pull` and `cloche image push`
#include <array>

#include <fmt/format.h>

#include "blob/lease.h"
#include "cli/channels.h"
#include "cli/command_table.h"
#include "cli/image/record.h"
#include "cli/interrupt.h"
#include "cli/progress_display.h"
#include "core/text.h"
#include "image/registry_client.h"
#include "package/oci/reference.h"

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
  const oci::Reference reference = TRY(oci::parse_reference(options.reference));
  const image::Platform platform = TRY(image::parse_platform(options.platform));
  TRY(context.workspace());
  const image::Layout layout = layout_of(context);
  TRY(layout.create());
  const blob::Lease lease = TRY(blob::Lease::take(layout.root()));
  const std::unique_ptr<ChannelAccess> access = TRY(ChannelAccess::open(context));
  image::RegistryClient client(TRY(image::registry_options(access->surroundings().environment)));
  ProgressDisplay progress(context.terminal(), access->clock(), progress_form(context));
  auto pulled = client.pull(reference, platform, layout.blobs(), {}, interrupt.token(), progress);
  progress.clear();
  const image::PulledImage image = TRY(std::move(pulled));
  TRY(layout.set(options.reference, image.resolved.manifest));
  Json data;
  data.set("name", options.reference)
      .set("digest", image.resolved.manifest.digest.to_string())
      .set("fetched_bytes", static_cast<std::int64_t>(image.fetched_bytes));
  return Report{.data = std::move(data), .text = pulled_text};
}

std::string pushed_text(const Json& data, const Style& /*style*/) {
  return fmt::format("pushed {}@{}: {} blobs sent, {} bytes; {} were there, {} mounted\n",
                     printable(data.string_or_empty("reference")), data.string_or_empty("digest"),
                     data["uploaded"].as_integer(), data["uploaded_bytes"].as_integer(),
                     data["present"].as_integer(), data["mounted"].as_integer());
}

Result<Report> run_push(const PushOptions& options, Context& context) {
  const Interrupt interrupt;
  const std::string& to = options.to.empty() ? options.name : options.to;
  const oci::Reference reference = TRY(oci::parse_reference(to));
  const image::Layout layout = layout_of(context);
  const image::Descriptor manifest = TRY(layout.find(options.name));
  const std::unique_ptr<ChannelAccess> access = TRY(ChannelAccess::open(context));
  image::RegistryClient client(TRY(image::registry_options(access->surroundings().environment)));
  ProgressDisplay progress(context.terminal(), access->clock(), progress_form(context));
  auto pushed = client.push(layout.blobs(), manifest, reference, {}, interrupt.token(), progress);
  progress.clear();
  const image::PushedImage image = TRY(std::move(pushed));
  Json data;
  data.set("reference", to)
      .set("digest", image.digest.to_string())
      .set("present", static_cast<std::int64_t>(image.present))
      .set("mounted", static_cast<std::int64_t>(image.mounted))
      .set("uploaded", static_cast<std::int64_t>(image.uploaded))
      .set("uploaded_bytes", static_cast<std::int64_t>(image.uploaded_bytes));
  return Report{.data = std::move(data), .text = pushed_text};
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
