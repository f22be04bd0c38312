// `cloche env build`
#include <array>

#include <fmt/format.h>

#include "blob/lease.h"
#include "build/build_environment.h"
#include "cli/command_table.h"
#include "cli/env/building.h"
#include "cli/env/placed.h"
#include "cli/image/exchange.h"
#include "cli/interrupt.h"
#include "cli/messages.h"
#include "cli/progress_display.h"
#include "core/text.h"
#include "package/oci/reference.h"

namespace cloche::cli {
namespace {

struct BuildOptions : LockingOptions {
  std::string subject;
  std::string compression = "zstd";
  bool dry_run = false;
  bool verify = false;
  bool no_bytecode = false;
  bool no_scripts = false;
  std::string push;
};

Json texts(const std::vector<std::string>& list) {
  Json out = Json::array();
  for (const std::string& one : list) {
    out.push(one);
  }
  return out;
}

std::string text_of_push(const Json& pushed) {
  return pushed.is_null() ? std::string() : pushed_text(pushed);
}

std::string env_build_text(const Json& data, const Style& /*style*/) {
  const std::string image = fmt::format("{}@{}", printable(data.string_or_empty("image")),
                                        data.string_or_empty("digest"));
  if (data["found"].as_bool()) {
    return fmt::format("{} was built before{}\n", image,
                       data["verified"].as_bool() ? "; a build from nothing gives the same" : "") +
           text_of_push(data["pushed"]);
  }
  std::string out;
  if (!data["without_bytecode"].is_null()) {
    out +=
        fmt::format("without bytecode: {}\n", printable(data.string_or_empty("without_bytecode")));
  }
  for (const Json& one : data["scripts"].items()) {
    out += fmt::format("not run: the {} script of {}\n", one.string_or_empty("action"),
                       printable(one.string_or_empty("package")));
  }
  return out +
         fmt::format("built {}: {} packages, {} of them packed now, {} layers{}\n", image,
                     data["packages"].as_integer(), data["packages_made"].as_integer(),
                     data["layers"].as_integer(),
                     data["verified"].as_bool() ? "; a build from nothing gives the same" : "");
}

std::string dry_text(const Json& data, const Style& /*style*/) {
  if (data["found"].as_bool()) {
    return fmt::format("found: {} is there, nothing would be built\n",
                       data.string_or_empty("digest"));
  }
  std::string out =
      fmt::format("to be built: no image has the key {}\n", data.string_or_empty("key"));
  if (data["changed"].items().empty()) {
    return out;
  }
  out += fmt::format("the nearest, {}, differs in\n", data.string_or_empty("nearest"));
  for (const Json& one : data["changed"].items()) {
    out += fmt::format("  {}: {} -> {}\n", one.string_or_empty("input"),
                       printable(one.string_or_empty("before")),
                       printable(one.string_or_empty("now")));
  }
  return out;
}

Result<Report> run_dry(build::BuildRequest request, ChannelAccess& access,
                       const std::stop_token& stop, Context& context) {
  auto found = TRY(build::find_build(request));
  if (!found) {
    ProgressDisplay progress(context.terminal(), access.clock(), progress_form(context));
    const std::string why =
        TRY(build::why_no_bytecode(request, access.channels().cache_directory, stop, progress));
    request.bytecode = request.bytecode && why.empty();
    found = TRY(build::find_build(request));
  }
  const auto nearest = TRY(build::nearest_build(request));
  Json changed = Json::array();
  if (!found && nearest) {
    for (const build::ChangedInput& one : nearest->changed) {
      Json record;
      record.set("input", one.name).set("before", one.before).set("now", one.now);
      changed.push(std::move(record));
    }
  }
  Json data;
  data.set("found", found.has_value())
      .set("key", Digest::of(build::build_inputs(request).canonical()).hex())
      .set("digest", found ? Json(found->digest.to_string()) : Json())
      .set("nearest", nearest ? Json(nearest->manifest.to_string()) : Json())
      .set("changed", std::move(changed));
  return Report{.data = std::move(data), .text = dry_text};
}

// Builds again with nothing of before, and compares.
Status verify(build::BuildRequest request, const build::BuildOutcome& outcome,
              ChannelAccess& access, const std::stop_token& stop, Progress& progress) {
  request.from_nothing = true;
  const build::BuildOutcome again =
      TRY(build::build_environment(request, access.channels(), stop, progress));
  if (again.manifest.digest != outcome.manifest.digest) {
    return fail(ErrorKind::kInternal, "a build from nothing gives {}, not {}",
                again.manifest.digest.to_string(), outcome.manifest.digest.to_string())
        .with_hint("please report it, with both images");
  }
  return {};
}

Result<build::BuildOutcome> build(const build::BuildRequest& request, const BuildOptions& options,
                                  ChannelAccess& access, const std::stop_token& stop,
                                  Context& context) {
  ProgressDisplay progress(context.terminal(), access.clock(), progress_form(context));
  auto outcome = build::build_environment(request, access.channels(), stop, progress);
  if (outcome && options.verify) {
    if (const Status same = verify(request, *outcome, access, stop, progress); !same) {
      progress.clear();
      return same.error();
    }
  }
  progress.clear();
  return outcome;
}

// Layers of the base are mounted where the registry has them already.
image::PushOptions push_options(const image::BaseImage& base) {
  image::PushOptions out;
  if (!base.digest.empty()) {
    if (auto source = oci::parse_reference(base.reference)) {
      out.sources.push_back(std::move(*source));
    }
  }
  return out;
}

Result<Report> run_build(const BuildOptions& options, Context& context) {
  const Interrupt interrupt;
  const Subject subject = TRY(find_subject(options.subject, context));
  const std::unique_ptr<ChannelAccess> access = TRY(ChannelAccess::open(context));
  const BuildBasis basis = TRY(build_basis(subject, options, *access, interrupt.token(), context));
  const image::Layout& layout = basis.layout;
  build::BuildRequest request = build_request(subject, basis, options);
  request.compression = TRY(blob::parse_compression(options.compression));
  request.bytecode = !options.no_bytecode;
  request.scripts = !options.no_scripts;
  if (options.dry_run) {
    return run_dry(request, *access, interrupt.token(), context);
  }
  // Until the image has a name no root leads to it.
  const blob::Lease lease = TRY(blob::Lease::take(layout.root()));
  const build::BuildOutcome outcome =
      TRY(build(request, options, *access, interrupt.token(), context));
  const std::string name = TRY(name_image(subject, basis, outcome.manifest));
  Json pushed;
  if (!options.push.empty()) {
    pushed = pushed_record(TRY(push_image(outcome.manifest, options.push, push_options(basis.base),
                                          layout, *access, interrupt.token(), context)),
                           options.push);
  }
  Json data;
  data.set("image", name)
      .set("digest", outcome.manifest.digest.to_string())
      .set("key", outcome.key.hex())
      .set("found", outcome.found)
      .set("verified", options.verify)
      .set("packages", static_cast<std::int64_t>(outcome.packages))
      .set("packages_made", static_cast<std::int64_t>(outcome.packages_made))
      .set("layers", static_cast<std::int64_t>(outcome.layers))
      .set("layer_bytes", static_cast<std::int64_t>(outcome.layer_bytes))
      .set("clobbered", clobber_records(outcome.clobbers))
      .set("scripts", script_records(outcome.scripts))
      .set("scripts_run", texts(outcome.scripts_run))
      .set("without_bytecode", text_or_null(outcome.without_bytecode))
      .set("pushed", std::move(pushed))
      .set("lock", basis.locked.entry.digest.to_string());
  return Report{.data = std::move(data), .text = env_build_text};
}

constexpr std::array<Argument, 7> kEnvBuildOwnArguments = {{
    {.name = "REF",
     .help = "The environment: a reference, or a file or directory",
     .required = true,
     .source = Source::kEnvironmentsAndFiles,
     .field = kField<&BuildOptions::subject>},
    {.name = "dry-run",
     .help = "Only say whether the image is there, and if not, what differs from the nearest one",
     .field = kField<&BuildOptions::dry_run>},
    {.name = "verify",
     .help = "Build once more from nothing and compare the digests",
     .field = kField<&BuildOptions::verify>},
    {.name = "no-bytecode",
     .help = "Leave out bytecode of noarch Python packages; this image needs no container to build",
     .field = kField<&BuildOptions::no_bytecode>},
    {.name = "no-scripts",
     .help = "Leave out what post-link scripts of packages would do",
     .field = kField<&BuildOptions::no_scripts>},
    {.name = "push",
     .value = "IMAGE",
     .help = "Send the image to a container registry: registry.example.com/team/train:3",
     .field = kField<&BuildOptions::push>},
    {.name = "compression",
     .value = "METHOD",
     .help = "How layers are compressed; gzip is for engines of before 2022 (default: zstd)",
     .choices = "zstd|gzip",
     .field = kField<&BuildOptions::compression>},
}};

constexpr auto kEnvBuildArguments = joined(kEnvBuildOwnArguments, kLockingArguments<BuildOptions>);

constexpr std::array<Example, 4> kEnvBuildExamples = {{
    {"An image of a registered environment", "cloche env build train"},
    {"Why would it be built again?", "cloche env build train --dry-run"},
    {"Build and send it", "cloche env build train --push registry.example.com/team/train:3"},
    {"Prove that it is reproducible", "cloche env build train --verify"},
}};

}  // namespace

const Command kEnvBuild = {
    .path = "env build",
    .summary = "build an environment's image",
    .description =
        "Makes one OCI image of the environment's lock on its base image, without a daemon: each "
        "package becomes a segment, once for all environments, and segments become layers. The "
        "same lock and base give the same digest on every machine, on every day.\n\n"
        "Two things that packages bring are run, in a container without a network: the "
        "environment's Python, which compiles noarch Python packages, once for each package and "
        "interpreter; and post-link scripts, where there are any. Where there is no runc or crun, "
        "or the image is for another processor, their "
        "bytecode is left out: that is another image, and the output says so.\n\n"
        "The image is kept in the workspace, which is an OCI image layout: skopeo copy "
        "oci:.cloche:NAME reads it in place. A second build, also of another definition with the "
        "same lock, is a look-up.",
    .arguments = kEnvBuildArguments,
    .examples = kEnvBuildExamples,
    .exit_codes =
        "5  the requirements collide\n9  a package is not what its hash says\n10  it has parts "
        "that "
        "are not built yet (pip, Debian, Dockerfiles)",
    .see_also = "env lock, env install",
    .run = run<BuildOptions, run_build>,
};

}  // namespace cloche::cli
