#include "cli/channels.h"

#include <algorithm>
#include <array>

#include "core/files.h"
#include "core/text.h"
#include "source/conda/virtual_packages.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX has it in no header

namespace cloche::cli {

namespace {

// The virtual packages whose version a person may choose.
struct TargetRow {
  std::string_view name;
  std::string source::Target::* setting;
};
constexpr std::array<TargetRow, 5> kTargetRows = {{
    {"__archspec", &source::Target::archspec},
    {"__cuda", &source::Target::cuda},
    {"__cuda_arch", &source::Target::cuda_arch},
    {"__glibc", &source::Target::glibc},
    {"__linux", &source::Target::linux_kernel},
}};

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return out;
}

}  // namespace

source::Surroundings process_surroundings() {
  source::Surroundings out;
  out.environment = process_environment();
  out.home = out.variable("HOME");
  out.directory = io::current_directory();
  return out;
}

std::string cache_directory(const source::Surroundings& surroundings) {
  if (const std::string own = surroundings.variable("CLOCHE_CACHE"); !own.empty()) {
    return own;
  }
  if (const std::string xdg = surroundings.variable("XDG_CACHE_HOME"); xdg.starts_with('/')) {
    return join_path(xdg, "cloche");
  }
  return surroundings.home.empty() ? "" : join_path(surroundings.home, ".cache/cloche");
}

Result<std::unique_ptr<ChannelAccess>> ChannelAccess::open(Context& context) {
  std::unique_ptr<ChannelAccess> out(new ChannelAccess());
  out->surroundings_ = process_surroundings();
  out->settings_ = TRY(source::read_channel_settings(out->surroundings_, context.files()));
  TRY(source::read_credentials(out->surroundings_, context.files(), out->credentials_));
  io::HttpOptions options = io::http_options(out->surroundings_.environment);
  source::apply_to(options, out->settings_);
  out->client_ = std::make_unique<io::HttpClient>(std::move(options));
  out->cache_directory_ = cli::cache_directory(out->surroundings_);
  if (out->cache_directory_.empty()) {
    return fail(ErrorKind::kInvalid, "there is no place for what is fetched: HOME is not set")
        .with_hint("set CLOCHE_CACHE to a directory");
  }
  return out;
}

Result<std::vector<conda::VirtualPackage>> ChannelAccess::virtual_packages(
    const std::string& platform, const image::CLibrary& base,
    const std::map<std::string, std::string>& overrides, Diagnostics& diagnostics) const {
  source::Target target;
  target.platform = platform;
  target.glibc = base.version;
  for (const auto& [name, version] : overrides) {
    const auto* const row = std::ranges::find(kTargetRows, name, &TargetRow::name);
    if (row == kTargetRows.end()) {
      return fail(ErrorKind::kUsage, "'{}' is no virtual package of a Linux target",
                  printable(name))
          .with_hint("there are __archspec, __cuda, __cuda_arch, __glibc and __linux");
    }
    target.*row->setting = version;
  }
  std::vector<conda::VirtualPackage> out =
      TRY(source::virtual_packages(target, surroundings_, diagnostics));
  std::erase_if(out, [&](const conda::VirtualPackage& one) {
    const auto given = overrides.find(one.name);
    const bool removed = given != overrides.end() && given->second.empty();
    const bool other_library =
        one.name == "__glibc" && asks_base(overrides) && base.kind == image::CLibrary::Kind::kMusl;
    return removed || other_library;
  });
  return out;
}

bool ChannelAccess::asks_base(const std::map<std::string, std::string>& overrides) const {
  return !overrides.contains("__glibc") &&
         !surroundings_.environment.contains("CONDA_OVERRIDE_GLIBC");
}

build::Channels ChannelAccess::channels() {
  return {settings_, surroundings_, credentials_, *client_, clock_, cache_directory_};
}

}  // namespace cloche::cli
