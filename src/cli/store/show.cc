// `cloche store show`
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "blob/eviction.h"
#include "blob/garbage.h"
#include "cli/command_table.h"
#include "cli/store/contents.h"
#include "cli/table.h"
#include "core/files.h"
#include "core/size.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct ShowOptions {};

std::string size_of(const Json& record, std::string_view key) {
  return shown_size(static_cast<std::uint64_t>(record[key].as_integer()));
}

std::string store_show_text(const Json& data, const Style& style) {
  const Json& store = data["workspace"];
  Sheet sheet;
  sheet.add("workspace", store.string_or_empty("directory"));
  sheet.add("needed",
            fmt::format("{} by {} things, {} blobs", size_of(store, "logical_size"),
                        store["need_count"].as_integer(), store["blob_count"].as_integer()));
  sheet.add("on disk", size_of(store, "physical_size"));
  if (store["sharing_factor"].is_double()) {
    sheet.add("sharing", fmt::format("{:.2f} times", store["sharing_factor"].as_double()));
  }
  sheet.add("reclaimable", size_of(store, "reclaimable_size"));
  sheet.add("cache", data["cache"].string_or_empty("directory"));
  for (const Json& folder : data["cache"]["folders"].items()) {
    const bool shared = folder["shared_size"].as_integer() > 0;
    sheet.add(fmt::format("  {}", folder.string_or_empty("name")),
              fmt::format("{} in {} {}{}", size_of(folder, "size"), folder["count"].as_integer(),
                          folder.string_or_empty("name") == "unpacked" ? "layers" : "files",
                          shared ? fmt::format(", and {} that images hold as well",
                                               size_of(folder, "shared_size"))
                                 : ""));
  }
  sheet.add("reclaimable ", fmt::format("{}; with a quota of 0 all that is not in use",
                                        size_of(data["cache"], "reclaimable_size")));
  return sheet.render(style);
}

struct Use {
  std::uint64_t logical_bytes = 0;   // as if everything had its own
  std::uint64_t physical_bytes = 0;  // of the blobs that are needed, each once
  std::set<std::string> needs;
  std::set<Digest> blobs;
};

Result<Use> use_of(workspace::Workspace& workspace) {
  Use use;
  std::set<std::pair<std::string, Digest>> counted;
  TRY(visit_roots(workspace, [&](const Digest& digest, std::string_view why) {
    const std::string path = join_path(workspace.directory(), "blobs/sha256/" + digest.hex());
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0 || !counted.emplace(why, digest).second) {
      return;
    }
    use.needs.emplace(why);
    use.logical_bytes += static_cast<std::uint64_t>(info.st_size);
    if (use.blobs.insert(digest).second) {
      use.physical_bytes += static_cast<std::uint64_t>(info.st_size);
    }
  }));
  return use;
}

Json number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

Result<Json> workspace_record(workspace::Workspace& workspace, Progress& progress) {
  const Use use = TRY(use_of(workspace));
  const blob::GarbageReport garbage = TRY(blob::collect_garbage(
      workspace.directory(), [&](const blob::Keep& keep) { return visit_roots(workspace, keep); },
      {.dry_run = true}, {}, progress));
  return Json::object()
      .set("directory", workspace.directory())
      .set("need_count", number(use.needs.size()))
      .set("blob_count", number(use.blobs.size()))
      .set("logical_size", number(use.logical_bytes))
      .set("physical_size", number(garbage.kept_bytes + garbage.removed_bytes))
      .set("sharing_factor", use.physical_bytes == 0
                                 ? Json()
                                 : Json(static_cast<double>(use.logical_bytes) /
                                        static_cast<double>(use.physical_bytes)))
      .set("reclaimable_size", number(garbage.removed_bytes));
}

Result<Json> cache_record() {
  const std::string cache = cache_place();
  const blob::CacheUse in_cache = TRY(blob::cache_use(cache));
  Json folders = Json::array();
  for (const auto& [name, use] : in_cache.folders) {
    folders.push(Json::object()
                     .set("name", name)
                     .set("count", number(use.count))
                     .set("size", number(use.size_bytes))
                     .set("shared_size", number(use.shared_bytes)));
  }
  return Json::object()
      .set("directory", cache)
      .set("folders", std::move(folders))
      .set("reclaimable_size", number(in_cache.leftover_bytes));
}

Result<Report> run_show(const ShowOptions& /*options*/, Context& context) {
  Progress quiet;
  workspace::Workspace& workspace = *TRY(context.workspace());
  Json data;
  data.set("workspace", TRY(workspace_record(workspace, quiet)));
  data.set("cache", TRY(cache_record()));
  return Report{.data = std::move(data), .text = store_show_text};
}

constexpr std::array<Example, 1> kStoreShowExamples = {{
    {"What images and caches take", "cloche store show"},
}};

}  // namespace

const Command kStoreShow = {
    .path = "store show",
    .summary = "show what the stores hold, share and could free",
    .description =
        "Of the workspace: what all images and build contexts need together if nothing were "
        "shared, what it takes on the disk, how often a byte is used on average, and what `cloche "
        "gc` would free now. Of the cache, which all workspaces of a person share: what each kind "
        "takes.",
    .examples = kStoreShowExamples,
    .see_also = "gc, workspace show",
    .run = run<ShowOptions, run_show>,
};

}  // namespace cloche::cli
