// `cloche image bootstrap`
#include <array>

#include <fmt/format.h>

#include "cli/bootstrapping.h"
#include "cli/command_table.h"
#include "cli/image/record.h"
#include "cli/interrupt.h"
#include "core/size.h"
#include "core/text.h"
#include "image/config.h"

namespace cloche::cli {
namespace {

struct BootstrapOptions {
  std::string reference;
  std::string variant = "minimal";
  std::vector<std::string> include;
  std::string mirror;
  std::string sources;
  std::string name;
  std::string platform = "linux-64";
  std::string compression = "zstd";
  bool refresh = false;
  bool offline = false;
};

std::string image_bootstrap_text(const Json& data, const Style& /*style*/) {
  return fmt::format("{}@{}: {} packages, {} layers, {}{}\n",
                     printable(data.string_or_empty("name")), data.string_or_empty("digest"),
                     data["packages"].items().size(), data["layers"].as_integer(),
                     shown_size(static_cast<std::uint64_t>(data["bytes"].as_integer())),
                     data["configured"].as_bool() ? "" : "; configured before");
}

Json package_records(const build::Bootstrapped& made) {
  Json out = Json::array();
  for (const debian::PackageRecord& one : made.packages) {
    Json record;
    record.set("name", one.name)
        .set("version", one.version)
        .set("architecture", one.architecture)
        .set("sha256", one.sha256);
    out.push(std::move(record));
  }
  return out;
}

Json archive_records(const build::Bootstrapped& made) {
  Json out = Json::array();
  for (const source::OpenedRelease& one : made.releases) {
    Json record;
    record.set("uri", one.uri).set("suite", one.suite).set("sha256", one.sha256);
    out.push(std::move(record));
  }
  return out;
}

Result<build::BootstrapVariant> variant_of(const std::string& text) {
  if (text == "minimal") {
    return build::BootstrapVariant::kMinimal;
  }
  if (text == "standard") {
    return build::BootstrapVariant::kStandard;
  }
  return fail(ErrorKind::kUsage, "'{}' is no variant", printable(text))
      .with_hint("minimal or standard");
}

Result<Report> run_bootstrap(const BootstrapOptions& options, Context& context) {
  const Interrupt interrupt;
  const auto suite = build::bootstrap_suite(options.reference);
  if (!suite) {
    return fail(ErrorKind::kUsage, "'{}' is no base image that can be made here",
                printable(options.reference))
        .with_hint("debian:bullseye, debian:bookworm or debian:trixie");
  }
  const std::unique_ptr<ChannelAccess> access = TRY(ChannelAccess::open(context));
  const image::Layout layout(TRY(context.workspace())->directory());
  BootstrapWish wish{.suite = *suite,
                     .variant = TRY(variant_of(options.variant)),
                     .platform = options.platform,
                     .mirror = options.mirror,
                     .sources = options.sources,
                     .compression = options.compression,
                     .refresh = options.refresh,
                     .offline = options.offline};
  for (const std::string& list : options.include) {
    for (const std::string_view one : split(list, ',')) {
      if (!trim(one).empty()) {
        wish.include.emplace_back(trim(one));
      }
    }
  }
  const std::string name = options.name.empty() ? options.reference : options.name;
  const build::Bootstrapped made =
      TRY(bootstrap_image(wish, name, layout, *access, interrupt.token(), context));
  Json data;
  data.set("name", name)
      .set("digest", made.manifest.digest.to_string())
      .set("suite", *suite)
      .set("variant", options.variant)
      .set("layers", static_cast<std::int64_t>(made.layers))
      .set("bytes", static_cast<std::int64_t>(made.layer_bytes))
      .set("packages_made", static_cast<std::int64_t>(made.packages_made))
      .set("configured", made.configured)
      .set("archives", archive_records(made))
      .set("packages", package_records(made));
  return Report{.data = std::move(data), .text = image_bootstrap_text};
}

constexpr std::array<Argument, 10> kImageBootstrapArguments = {{
    {.name = "IMAGE",
     .help = "debian:SUITE: bullseye (11), bookworm (12) or trixie (13)",
     .required = true,
     .field = kField<&BootstrapOptions::reference>},
    {.name = "variant",
     .value = "VARIANT",
     .help = "minimal: what is essential or required, and apt (default); standard: what Debian's "
             "installer calls the standard system",
     .field = kField<&BootstrapOptions::variant>},
    {.name = "include",
     .value = "PACKAGE,...",
     .help = "Further packages, with what they depend on",
     .field = kField<&BootstrapOptions::include>},
    {.name = "mirror",
     .value = "URI",
     .help = "The archive (default: this machine's apt's, else deb.debian.org)",
     .field = kField<&BootstrapOptions::mirror>},
    {.name = "sources",
     .value = "FILE",
     .help = "Where packages come from, as sources.list or .sources",
     .field = kField<&BootstrapOptions::sources>},
    {.name = "name",
     .value = "NAME",
     .help = "What the image is called (default: IMAGE)",
     .field = kField<&BootstrapOptions::name>},
    {.name = "platform",
     .value = "PLATFORM",
     .help = "For which machines (default: linux-64)",
     .field = kField<&BootstrapOptions::platform>},
    {.name = "compression",
     .value = "COMPRESSION",
     .help = "Of the layers: zstd (default) or gzip",
     .field = kField<&BootstrapOptions::compression>},
    {.name = "refresh",
     .help = "Ask the archive even where its index is fresh",
     .field = kField<&BootstrapOptions::refresh>},
    {.name = "offline",
     .help = "Use only what was fetched before",
     .field = kField<&BootstrapOptions::offline>},
}};

constexpr std::array<Example, 2> kImageBootstrapExamples = {{
    {"A base image without a container registry", "cloche image bootstrap debian:bookworm"},
    {"With certificates and git, under a name of one's own",
     "cloche image bootstrap debian:trixie --include ca-certificates,git --name base:trixie"},
}};

}  // namespace

const Command kImageBootstrap = {
    .path = "image bootstrap",
    .summary = "make a base image out of Debian's archive",
    .description =
        "Solves, downloads and unpacks the packages of a Debian suite, configures them once in a "
        "container, and stores the result as an image of the workspace. No container registry is "
        "asked. The archive is the one that this machine's apt uses, with its keys; its signatures "
        "and every hash are verified. The same state of the archive gives the same image, digest "
        "by digest.\n\n"
        "Needs runc or crun, and root or a range of numbers for this user in /etc/subuid and "
        "/etc/subgid (with Debian's package uidmap).",
    .arguments = kImageBootstrapArguments,
    .examples = kImageBootstrapExamples,
    .exit_codes =
        "3  a package's own script failed\n"
        "4  no such suite or package\n"
        "5  packages that cannot be together",
    .see_also = "image list, env build, image export",
    .run = run<BootstrapOptions, run_bootstrap>,
};

}  // namespace cloche::cli
