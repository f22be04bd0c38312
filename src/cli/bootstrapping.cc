#include "cli/bootstrapping.h"

#include <fmt/format.h>

#include "cli/progress_display.h"
#include "core/files.h"
#include "core/text.h"
#include "source/debian/apt_sources.h"

namespace cloche::cli {
namespace {

constexpr std::size_t kMaxSourcesBytes = std::size_t{1} << 20U;

Result<std::vector<source::AptSource>> sources_of(const BootstrapWish& wish, Context& context,
                                                  Diagnostics& diagnostics) {
  if (!wish.sources.empty()) {
    const std::string text = TRY(context.files().read(wish.sources, kMaxSourcesBytes));
    return source::parse_apt_sources(text, wish.sources, diagnostics);
  }
  if (!wish.mirror.empty()) {
    std::string uri = wish.mirror;
    while (uri.ends_with('/')) {
      uri.pop_back();
    }
    return std::vector<source::AptSource>{
        {.uri = std::move(uri), .suite = wish.suite, .components = {"main"}}};
  }
  const auto os_release = context.files().read("/etc/os-release", kMaxSourcesBytes);
  const source::OsRelease machine =
      os_release ? source::parse_os_release(*os_release) : source::OsRelease{};
  const std::vector<source::AptSource> own =
      TRY(source::machine_apt_sources(context.files(), "/etc/apt", diagnostics));
  return source::sources_for({.id = "debian", .codename = wish.suite, .version = {}}, machine, own);
}

}  // namespace

Result<build::Bootstrapped> bootstrap_image(const BootstrapWish& wish, const std::string& name,
                                            const image::Layout& layout, ChannelAccess& access,
                                            const std::stop_token& stop, Context& context) {
  Diagnostics diagnostics;
  const std::string& cache = access.cache_directory();
  source::ArchiveCache archives(join_path(cache, "debian"), access.client(), context.files(),
                                access.clock());
  source::FileCache files(join_path(cache, "packages"), access.client());
  const build::BootstrapRequest request{
      .suite = wish.suite,
      .variant = wish.variant,
      .include = wish.include,
      .platform = wish.platform,
      .sources = TRY(sources_of(wish, context, diagnostics)),
      .layout = layout,
      .cache = cache,
      .archive = {.refresh = wish.refresh, .offline = wish.offline},
      .compression = TRY(blob::parse_compression(wish.compression))};
  ProgressDisplay progress(context.terminal(), access.clock(), progress_form(context));
  auto made = build::bootstrap(request, archives, files, stop, progress, diagnostics);
  progress.clear();
  context.say(diagnostics);
  build::Bootstrapped out = TRY(std::move(made).context("making the base image {}", name));
  TRY(layout.set(name, out.manifest));
  return out;
}

}  // namespace cloche::cli
