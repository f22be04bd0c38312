#include "cli/image/exchange.h"

#include <fmt/format.h>

#include "blob/lease.h"
#include "cli/progress_display.h"
#include "core/text.h"
#include "package/oci/reference.h"

namespace cloche::cli {

Result<image::PulledImage> pull_image(const std::string& from, const std::string& name,
                                      const image::Platform& platform, const image::Layout& layout,
                                      ChannelAccess& access, const std::stop_token& stop,
                                      Context& context) {
  const oci::Reference parsed = TRY(oci::parse_reference(from));
  TRY(layout.create());
  const blob::Lease lease = TRY(blob::Lease::take(layout.root()));
  image::RegistryClient client(TRY(image::registry_options(access.surroundings().environment)));
  ProgressDisplay progress(context.terminal(), access.clock(), progress_form(context));
  auto pulled = client.pull(parsed, platform, layout.blobs(), {}, stop, progress);
  progress.clear();
  image::PulledImage image = TRY(std::move(pulled));
  TRY(layout.set(name, image.resolved.manifest));
  return image;
}

Result<image::PushedImage> push_image(const image::Descriptor& manifest, const std::string& to,
                                      const image::PushOptions& options,
                                      const image::Layout& layout, ChannelAccess& access,
                                      const std::stop_token& stop, Context& context) {
  const oci::Reference target = TRY(oci::parse_reference(to));
  image::RegistryClient client(TRY(image::registry_options(access.surroundings().environment)));
  ProgressDisplay progress(context.terminal(), access.clock(), progress_form(context));
  auto pushed = client.push(layout.blobs(), manifest, target, options, stop, progress);
  progress.clear();
  return pushed;
}

Json pushed_record(const image::PushedImage& pushed, const std::string& to) {
  Json out;
  out.set("reference", to)
      .set("digest", pushed.digest.to_string())
      .set("present", static_cast<std::int64_t>(pushed.present))
      .set("mounted", static_cast<std::int64_t>(pushed.mounted))
      .set("uploaded", static_cast<std::int64_t>(pushed.uploaded))
      .set("uploaded_bytes", static_cast<std::int64_t>(pushed.uploaded_bytes));
  return out;
}

std::string pushed_text(const Json& pushed) {
  return fmt::format("pushed {}@{}: {} blobs sent, {} bytes; {} were there, {} mounted\n",
                     printable(pushed.string_or_empty("reference")),
                     pushed.string_or_empty("digest"), pushed["uploaded"].as_integer(),
                     pushed["uploaded_bytes"].as_integer(), pushed["present"].as_integer(),
                     pushed["mounted"].as_integer());
}

}  // namespace cloche::cli
