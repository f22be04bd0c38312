#include "blob/eviction.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob/segment_records.h"
#include "blob/use_stamp.h"
#include "blob/work_lock.h"
#include "core/files.h"
#include "io/directory_tree.h"
#include "io/system.h"
#include "io/temporary.h"
#include "io/tree_entry.h"

namespace cloche::blob {
namespace {

namespace fs = std::filesystem;

// docs/decisions/0021: what a cache holds.
struct Folder {
  std::string_view name;
  bool is_store;  // with blobs/, tmp/ and leases/
};
constexpr std::array<Folder, 4> kFolders = {{
    {"packages", true},
    {"segments", true},
    {"repodata", false},
    {"index", false},
}};

constexpr std::string_view kUnpacked = "unpacked";
constexpr std::string_view kPart = ".part";

struct Item {
  std::string path;  // relative to the cache
  std::string root;  // of the blob store that it stands in; "" in none
  Stamp used;
  std::uint64_t size_bytes = 0;
  std::string wanted = {};  // why
  bool shared = false;      // an image has the same file
  bool directory = false;
};

std::optional<Stamp> changed_at(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    return std::nullopt;
  }
  return Stamp{info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

// What a tree takes, files of several names once. What cannot be read counts nothing.
std::uint64_t bytes_below(const std::string& path) {
  std::uint64_t bytes = 0;
  std::set<ino_t> seen;
  std::error_code error;
  fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, error);
  for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
    struct stat info{};
    if (::lstat(it->path().c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
        (info.st_nlink == 1 || seen.insert(info.st_ino).second)) {
      bytes += static_cast<std::uint64_t>(info.st_size);
    }
  }
  return bytes;
}

Status remove_tree(const std::string& folder, const std::string& name) {
  const io::DirectoryTree tree = TRY(io::DirectoryTree::open(folder));
  const auto found = TRY(tree.place_of(name));
  return io::TreeEntry(found, name).remove_all();
}

class Eviction {
 public:
  Eviction(const std::string& cache, const EvictionOptions& options, const std::stop_token& stop)
      : cache_(cache), options_(options), stop_(stop) {}

  Result<std::vector<Item>> items() const {
    std::vector<Item> out;
    for (const Folder& folder : kFolders) {
      if (folder.is_store) {
        TRY(add_blobs(folder, out));
      } else {
        add_files(folder, out);
      }
    }
    TRY(add_unpacked(out));
    return out;
  }

  // What nobody needs, whatever the quota. How many bytes that is.
  Result<std::uint64_t> sweep_leftovers() {
    for (const Folder& folder : kFolders) {
      if (folder.is_store) {
        TRY(sweep(fmt::format("{}/tmp", folder.name), "", options_.leftover_age_s));
        TRY(sweep(fmt::format("{}/partial", folder.name), "", options_.partial_age_s));
      } else {
        TRY(sweep(std::string(folder.name), ".cloche-", options_.leftover_age_s));
      }
    }
    TRY(sweep_unpacked());
    return report_.removed_bytes;
  }

  Result<GarbageReport> run() {
    TRY(sweep_leftovers());
    std::vector<Item> all = TRY(items());
    std::uint64_t total = 0;
    for (const Item& item : all) {
      total += item.shared ? 0 : item.size_bytes;
    }
    std::ranges::stable_sort(all, [](const Item& a, const Item& b) {
      return std::pair(!a.wanted.empty(), a.used) < std::pair(!b.wanted.empty(), b.used);
    });
    for (const Item& item : all) {
      if (stop_.stop_requested()) {
        return fail(ErrorKind::kCancelled, "stopped; what was removed until now stays removed");
      }
      const bool over = options_.quota_bytes && total > *options_.quota_bytes;
      if (item.shared) {
        keep("an image has the same file", item.size_bytes);
      } else if (over && TRY(remove(item))) {
        total -= item.size_bytes;
      } else if (!over) {
        keep(item.wanted.empty() ? "within the quota" : item.wanted, item.size_bytes);
      }
    }
    if (!options_.dry_run && !report_.removed.empty()) {
      forget_missing_segments(place("segments"));
    }
    std::ranges::sort(report_.removed, {}, &GarbageReport::Removed::path);
    return std::move(report_);
  }

 private:
  std::string place(std::string_view path) const { return join_path(cache_, path); }

  Status add_blobs(const Folder& folder, std::vector<Item>& out) const {
    const std::string blobs = fmt::format("{}/blobs/sha256", folder.name);
    for (const std::string& name : TRY(names_in(place(blobs)))) {
      std::string path = fmt::format("{}/{}", blobs, name);
      const auto file = look_at(place(path));
      const auto digest = Digest::parse("sha256:" + name);
      if (file && digest) {
        out.push_back({.path = std::move(path),
                       .root = place(folder.name),
                       .used = file->used,
                       .size_bytes = file->size_bytes,
                       .wanted = options_.wanted ? options_.wanted(*digest) : "",
                       .shared = file->links > 1});
      }
    }
    return {};
  }

  // Layers of images as directories: each is one item.
  Status add_unpacked(std::vector<Item>& out) const {
    for (const std::string& name : TRY(names_in(place(kUnpacked)))) {
      std::string path = fmt::format("{}/{}", kUnpacked, name);
      const auto used = changed_at(place(path));
      if (used && Digest::parse("sha256:" + name)) {
        const std::uint64_t size_bytes = bytes_below(place(path));
        out.push_back({.path = std::move(path),
                       .root = place(kUnpacked),
                       .used = *used,
                       .size_bytes = size_bytes,
                       .directory = true});
      }
    }
    return {};
  }

  void add_files(const Folder& folder, std::vector<Item>& out) const {
    std::error_code error;
    for (fs::recursive_directory_iterator it(place(folder.name), error), end; !error && it != end;
         it.increment(error)) {
      const std::string path = it->path().string();
      if (const auto file = look_at(path)) {
        out.push_back({.path = path.substr(cache_.size() + 1),
                       .root = "",
                       .used = file->used,
                       .size_bytes = file->size_bytes,
                       .wanted = ""});
      }
    }
  }

  // Whether it is gone. A blob that was used meanwhile, or is used under a lease, stays.
  Result<bool> remove(const Item& item) {
    if (item.directory) {
      return remove_directory(item);
    }
    std::optional<SweepLock> lock;
    if (!item.root.empty()) {
      if (!options_.dry_run) {
        lock.emplace(TRY(SweepLock::take(item.root)));
      }
      const auto lease = TRY(oldest_lease(item.root));
      const auto file = look_at(place(item.path));
      if (!file || file->used != item.used || (lease && file->used >= *lease)) {
        keep("used by work that is running", item.size_bytes);
        return false;
      }
    }
    if (!options_.dry_run && ::unlink(place(item.path).c_str()) != 0) {
      keep("cannot be removed", item.size_bytes);
      return false;
    }
    removed(item);
    return true;
  }

  void removed(const Item& item) {
    report_.removed.push_back(
        {item.path, item.size_bytes, "over the quota, and not used for longest"});
    report_.removed_bytes += item.size_bytes;
  }

  // Under the lock it loses its name, so that nobody finds half of it; removing takes longer.
  Result<bool> remove_directory(const Item& item) {
    const std::string name = fmt::format("{}.{}{}", base_name(item.path), io::random_name(), kPart);
    const Stamp fresh{(io::SystemClock().now_ms() / 1000) - options_.fresh_age_s, 0};
    {
      std::optional<SweepLock> lock;
      if (!options_.dry_run) {
        lock.emplace(TRY(SweepLock::take(item.root)));
      }
      const auto used = changed_at(place(item.path));
      if (!used || *used != item.used || *used >= fresh) {
        keep("used within the last hour", item.size_bytes);
        return false;
      }
      if (options_.in_use && options_.in_use(place(item.path))) {
        keep("used by work that is running", item.size_bytes);
        return false;
      }
      if (!options_.dry_run &&
          ::rename(place(item.path).c_str(), join_path(item.root, name).c_str()) != 0) {
        keep("cannot be removed", item.size_bytes);
        return false;
      }
    }
    if (!options_.dry_run) {
      TRY(remove_tree(item.root, name).context("making room in the cache"));
    }
    removed(item);
    return true;
  }

  // What unpackers left that died; a living one works on it, or will have it back soon.
  Status sweep_unpacked() {
    const Stamp old{(io::SystemClock().now_ms() / 1000) - options_.partial_age_s, 0};
    for (const std::string& name : TRY(names_in(place(kUnpacked)))) {
      std::string path = fmt::format("{}/{}", kUnpacked, name);
      const auto changed = changed_at(place(path));
      if (!name.ends_with(kPart) || !changed || *changed >= old) {
        continue;
      }
      const std::uint64_t size_bytes = bytes_below(place(path));
      if (options_.dry_run || remove_tree(place(kUnpacked), name)) {
        report_.removed.push_back({std::move(path), size_bytes, "left by work that did not end"});
        report_.removed_bytes += size_bytes;
      }
    }
    return {};
  }

  // Of what lies in a folder, what begins so and is old.
  Status sweep(const std::string& inner, std::string_view prefix, std::int64_t age_s) {
    const Stamp old{(io::SystemClock().now_ms() / 1000) - age_s, 0};
    for (const std::string& name : TRY(names_in(place(inner)))) {
      std::string path = fmt::format("{}/{}", inner, name);
      const auto file = look_at(place(path));
      if (!name.starts_with(prefix) || !file || file->used >= old) {
        continue;
      }
      if (!options_.dry_run && ::unlink(place(path).c_str()) != 0) {
        continue;
      }
      report_.removed.push_back(
          {std::move(path), file->size_bytes, "left by work that did not end"});
      report_.removed_bytes += file->size_bytes;
    }
    return {};
  }

  void keep(std::string_view why, std::uint64_t size_bytes) {
    GarbageReport::Kept& kept = report_.kept[std::string(why)];
    ++kept.count;
    kept.size_bytes += size_bytes;
    report_.kept_bytes += size_bytes;
  }

  const std::string& cache_;
  const EvictionOptions& options_;
  const std::stop_token& stop_;
  GarbageReport report_;
};

}  // namespace

Result<GarbageReport> evict(const std::string& cache, const EvictionOptions& options,
                            const std::stop_token& stop, Progress& progress) {
  std::error_code error;
  if (!fs::is_directory(cache, error)) {
    return GarbageReport{};
  }
  std::optional<WorkLock> alone;
  if (!options.dry_run) {
    alone.emplace(
        TRY(WorkLock::hold(cache, "garbage", "making room in the cache", stop, progress)));
  }
  return Eviction(cache, options, stop).run();
}

Result<CacheUse> cache_use(const std::string& cache) {
  const EvictionOptions options{.dry_run = true};
  const std::stop_token never;
  Eviction eviction(cache, options, never);
  CacheUse out;
  out.leftover_bytes = TRY(eviction.sweep_leftovers());
  for (const Item& item : TRY(eviction.items())) {
    FolderUse& use = out.folders[item.path.substr(0, item.path.find('/'))];
    ++use.count;
    (item.shared ? use.shared_bytes : use.size_bytes) += item.size_bytes;
  }
  return out;
}

}  // namespace cloche::blob
