#include "blob/garbage.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob/use_stamp.h"
#include "blob/work_lock.h"
#include "core/files.h"
#include "core/text.h"
#include "io/file_lock.h"
#include "io/system.h"
#include "io/temporary.h"

// The order of steps is the proof. A blob that is needed is either
//   used after the leases were read         then its stamp is later than the limit, which is at
//   most
//                                           the time of that reading;
//   used before, under a lease that lives   then its stamp is later than the lease's begin, and the
//                                           limit is at most that;
//   used before, under a lease that is over then something durable refers to it by now, and the
//                                           roots, which are asked after the leases, say so.
// All these times come from one clock, the file system's.

namespace cloche::blob {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatch = 64;  // removals under one SweepLock: under a millisecond
constexpr std::size_t kHexDigits = 64;
constexpr std::string_view kUnreferenced = "nothing refers to it";
constexpr std::string_view kLeftover = "left by work that did not end";
constexpr std::string_view kInWork = "used by work that is running";

std::optional<Stamp> changed_at(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    return std::nullopt;
  }
  return Stamp{info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

bool is_blob_name(std::string_view name) {
  return name.size() == kHexDigits &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::uint64_t bytes_below(const std::string& path) {
  std::uint64_t bytes = 0;
  if (const auto file = look_at(path)) {
    return file->size_bytes;
  }
  std::error_code error;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    if (const auto file = look_at(it->path().string())) {
      bytes += file->size_bytes;
    }
  }
  return bytes;
}

class Collection {
 public:
  Collection(const std::string& root, const GarbageOptions& options, const std::stop_token& stop)
      : root_(root), options_(options), stop_(stop) {}

  Result<GarbageReport> run(const Roots& roots) {
    TRY(find_limit());
    TRY(roots([this](const Digest& digest, std::string_view why) {
      marked_.try_emplace(digest.hex(), why);
    }));
    TRY(sweep_blobs());
    TRY(sweep_leftovers());
    std::ranges::sort(report_.removed, {}, &GarbageReport::Removed::path);
    return std::move(report_);
  }

 private:
  std::string place(std::string_view path) const { return join_path(root_, path); }

  // What was used at this time or later stays.
  Status find_limit() {
    now_ = limit_ = TRY(now());
    if (const auto lease = TRY(oldest_lease(root_))) {
      limit_ = std::min(limit_, *lease);
    }
    return {};
  }

  Result<Stamp> now() const {
    if (options_.dry_run) {
      return Stamp{io::SystemClock().now_ms() / 1000, 0};
    }
    const io::TemporaryFile file = TRY(io::TemporaryFile::create(place("tmp")));
    const auto made = look_at(file.path());
    return made ? Result<Stamp>(made->used)
                : fail(ErrorKind::kUnavailable, "{} is gone", printable(file.path()));
  }

  Status sweep_blobs() {
    std::vector<std::string> doomed;
    for (std::string& name : TRY(names_in(place("blobs/sha256")))) {
      const auto file = look_at(place("blobs/sha256/" + name));
      if (!file || !is_blob_name(name)) {
        continue;  // not ours
      }
      const auto root = marked_.find(name);
      if (root != marked_.end()) {
        keep(root->second, file->size_bytes);
      } else if (file->used >= limit_) {
        keep(kInWork, file->size_bytes);
      } else {
        doomed.push_back(std::move(name));
      }
    }
    for (std::size_t begin = 0; begin < doomed.size(); begin += kBatch) {
      if (stop_.stop_requested()) {
        return fail(ErrorKind::kCancelled, "stopped; what was removed until now stays removed");
      }
      const std::size_t end = std::min(begin + kBatch, doomed.size());
      TRY(remove_blobs(std::span(doomed).subspan(begin, end - begin)));
    }
    return {};
  }

  Status remove_blobs(std::span<const std::string> names) {
    std::optional<SweepLock> lock;
    if (!options_.dry_run) {
      lock.emplace(TRY(SweepLock::take(root_)));
    }
    for (const std::string& name : names) {
      const std::string path = "blobs/sha256/" + name;
      const auto file = look_at(place(path));
      if (file && file->used >= limit_) {
        keep(kInWork, file->size_bytes);  // somebody has come for it
      } else if (file && (options_.dry_run || ::unlink(place(path).c_str()) == 0)) {
        removed(path, file->size_bytes, kUnreferenced);
      }
    }
    return {};
  }

  // What processes leave that die. Living ones that write have a lease, or have written just now.
  Status sweep_leftovers() {
    const Stamp old{now_.seconds - options_.leftover_age_s, now_.nanoseconds};
    for (const std::string& name : TRY(names_in(place("tmp")))) {
      const std::string path = "tmp/" + name;
      const auto changed = changed_at(place(path));
      if (!changed || *changed >= std::min(old, limit_)) {
        continue;
      }
      const std::uint64_t size_bytes = bytes_below(place(path));
      std::error_code error;
      if (!options_.dry_run) {
        fs::remove_all(place(path), error);
      }
      if (!error) {
        removed(path, size_bytes, kLeftover);
      }
    }
    for (const std::string& name : TRY(names_in(place("locks")))) {
      if (!options_.dry_run) {
        TRY(remove_if_dead(place("locks/" + name)));
      }
    }
    return {};
  }

  void keep(std::string_view why, std::uint64_t size_bytes) {
    GarbageReport::Kept& kept = report_.kept[std::string(why)];
    ++kept.count;
    kept.size_bytes += size_bytes;
    report_.kept_bytes += size_bytes;
  }

  void removed(std::string path, std::uint64_t size_bytes, std::string_view why) {
    report_.removed.push_back({std::move(path), size_bytes, std::string(why)});
    report_.removed_bytes += size_bytes;
  }

  const std::string& root_;
  const GarbageOptions& options_;
  const std::stop_token& stop_;
  Stamp now_;
  Stamp limit_;
  std::unordered_map<std::string, std::string> marked_;
  GarbageReport report_;
};

}  // namespace

Result<GarbageReport> collect_garbage(const std::string& root, const Roots& roots,
                                      const GarbageOptions& options, const std::stop_token& stop,
                                      Progress& progress) {
  std::error_code error;
  if (!fs::is_directory(join_path(root, "blobs"), error)) {
    return GarbageReport{};
  }
  std::optional<WorkLock> alone;
  if (!options.dry_run) {
    alone.emplace(TRY(WorkLock::hold(root, "garbage", "collecting garbage", stop, progress)));
    fs::create_directories(join_path(root, "tmp"), error);
  }
  return Collection(root, options, stop).run(roots);
}

}  // namespace cloche::blob
