// `cloche gc`
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "blob/eviction.h"
#include "blob/garbage.h"
#include "cli/command_table.h"
#include "cli/env/activated_prefix.h"
#include "cli/interrupt.h"
#include "cli/progress_display.h"
#include "cli/store/contents.h"
#include "cli/table.h"
#include "core/files.h"
#include "core/size.h"
#include "core/text.h"
#include "io/system.h"
#include "runtime/engine.h"

namespace cloche::cli {
namespace {

struct GcOptions {
  bool dry_run = false;
  std::string quota;
};

std::string size_of(const Json& record, std::string_view key) {
  return shown_size(static_cast<std::uint64_t>(record[key].as_integer()));
}

std::string place_text(const Json& data, const Json& place, std::string_view name,
                       const Style& style) {
  std::string out;
  const bool dry = data["dry_run"].as_bool();
  if (!place["removed"].items().empty()) {
    Table table({dry ? "WOULD GO" : "GONE", "SIZE", "WHY"});
    for (const Json& one : place["removed"].items()) {
      table.add({one.string_or_empty("path"), size_of(one, "size"), one.string_or_empty("why")});
    }
    out += table.render(style) + "\n";
  }
  if (dry && !place["kept"].items().empty()) {
    Table table({"STAYS", "SIZE", "WHY"});
    for (const Json& one : place["kept"].items()) {
      table.add({fmt::format("{} files", one["count"].as_integer()), size_of(one, "size"),
                 one.string_or_empty("why")});
    }
    out += table.render(style) + "\n";
  }
  return out + fmt::format("{} ({}): {} {}, {} stays\n", name,
                           printable(place.string_or_empty("directory")),
                           size_of(place, "removed_size"), dry ? "would be freed" : "freed",
                           size_of(place, "kept_size"));
}

std::string store_gc_text(const Json& data, const Style& style) {
  return place_text(data, data["workspace"], "workspace", style) +
         place_text(data, data["cache"], "cache", style);
}

Result<Report> run_gc(const GcOptions& options, Context& context) {
  std::optional<std::uint64_t> quota;
  if (!options.quota.empty()) {
    auto parsed = parse_size(options.quota).context("reading --quota");
    if (!parsed) {
      parsed.error().kind = ErrorKind::kUsage;
      return parsed.error();
    }
    quota = *parsed;
  }
  const Interrupt interrupt;
  io::SystemClock clock;
  ProgressDisplay progress(context.terminal(), clock, progress_form(context));
  workspace::Workspace& workspace = *TRY(context.workspace());
  const blob::GarbageReport garbage = TRY(blob::collect_garbage(
      workspace.directory(), [&](const blob::Keep& keep) { return visit_roots(workspace, keep); },
      {.dry_run = options.dry_run}, interrupt.token(), progress));
  const std::string cache = cache_place();
  blob::EvictionOptions eviction{.quota_bytes = quota ? quota : workspace.quota_bytes(),
                                 .dry_run = options.dry_run};
  eviction.wanted = TRY(wanted_of(workspace));
  std::set<std::string> running;
  for (const std::string& layer : TRY(runtime::Engine::layers_in_use(cache))) {
    running.emplace(base_name(layer));
  }
  eviction.in_use = [&](const std::string& path) {
    return running.contains(std::string(base_name(path)));
  };
  blob::GarbageReport evicted = TRY(blob::evict(cache, eviction, interrupt.token(), progress));
  TRY(remove_stale_activated(cache, workspace, options.dry_run, evicted));
  Json of_workspace = garbage_record(garbage);
  Json of_cache = garbage_record(evicted);
  Json data;
  data.set("dry_run", options.dry_run)
      .set("workspace", std::move(of_workspace.set("directory", workspace.directory())))
      .set("cache",
           std::move(of_cache.set("directory", cache)
                         .set("quota", eviction.quota_bytes
                                           ? Json(static_cast<std::int64_t>(*eviction.quota_bytes))
                                           : Json())));
  return Report{.data = std::move(data), .text = store_gc_text};
}

constexpr std::array<Argument, 2> kStoreGcArguments = {{
    {.name = "dry-run",
     .help = "Remove nothing; show what would go, and why the rest stays",
     .field = kField<&GcOptions::dry_run>},
    {.name = "quota",
     .value = "SIZE",
     .help = "How large the cache may stay, as 20GB; without it the setting `quota`, else without "
             "limit",
     .field = kField<&GcOptions::quota>},
}};

constexpr std::array<Example, 3> kStoreGcExamples = {{
    {"What would go, and what keeps the rest", "cloche gc --dry-run"},
    {"Remove what nothing needs", "cloche gc"},
    {"And keep the cache below 20 GB", "cloche gc --quota 20GB"},
}};

}  // namespace

const Command kGc = {
    .path = "gc",
    .summary = "remove what nothing needs any more",
    .description =
        "From the workspace goes what neither a registered version's build context nor an image in "
        "it refers to. Builds may run meanwhile: what they have written or used stays.\n\n"
        "From the cache, whose content can be fetched or made again, go downloads that were broken "
        "off more than a day ago, what processes left that died, and activated environments whose "
        "lock is no longer their environment's; with a quota also what was "
        "used least recently, packages of this workspace's locks last. Unpacked layers that a "
        "container stands on, or that were used within the last hour, stay.",
    .arguments = kStoreGcArguments,
    .examples = kStoreGcExamples,
    .see_also = "store show",
    .run = run<GcOptions, run_gc>,
};

}  // namespace cloche::cli
