#include "blob/work_lock.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/system.h"

// <root>/locks/<sha256 of the key> exists while the lock is held, or was left by a holder that was
// killed. The lock is the kernel's, on the open file; the text in it is only for those who wait:
// {"pid": 4711, "started": 123456, "since_ms": ..., "what": "..."}. `started` is the process's
// start in the kernel's ticks since boot (proc(5), stat, field 22), so that a process that was
// given a dead holder's number is not named instead of it.

namespace cloche::blob {
namespace {

using Duration = std::chrono::steady_clock::duration;

constexpr std::size_t kMaxHolderBytes = 4096;
constexpr std::size_t kMaxWhatBytes = 500;
constexpr Duration kFirstPause = std::chrono::milliseconds(2);
constexpr Duration kLongestPause = std::chrono::milliseconds(50);
constexpr Duration kRemindAfter = std::chrono::seconds(30);

// "" when there is no such process, or none that we may see.
std::string start_of(std::int64_t pid) {
  const auto stat = io::DiskFiles().read(fmt::format("/proc/{}/stat", pid), kMaxHolderBytes);
  if (!stat) {
    return "";
  }
  // The second field is the program's name in parentheses, and may hold anything.
  const std::size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos) {
    return "";
  }
  const std::vector<std::string_view> fields =
      split(std::string_view(*stat).substr(name_end + 1), ' ');
  constexpr std::size_t kStartAt = 20;  // field 22; the first one here is the blank before field 3
  return fields.size() > kStartAt ? std::string(fields[kStartAt]) : "";
}

void sign(const io::FileLock& lock, std::string_view what) {
  const std::string text = Json::object()
                               .set("pid", static_cast<std::int64_t>(::getpid()))
                               .set("started", start_of(::getpid()))
                               .set("since_ms", io::SystemClock().now_ms())
                               .set("what", printable(what.substr(0, kMaxWhatBytes)))
                               .dump();
  // Without it the lock holds as well: a full disk is no reason to stop here.
  if (::ftruncate(lock.file().get(), 0) == 0) {
    [[maybe_unused]] const ssize_t written =
        ::pwrite(lock.file().get(), text.data(), text.size(), 0);
  }
}

// "process 4711 (making the segment of numpy, for 12 s)".
std::string holder_of(const std::string& path) {
  constexpr std::string_view kUnknown = "another process";
  const auto text = io::DiskFiles().read(path, kMaxHolderBytes);
  const auto json = text ? parse_json(*text, path) : Result<Json>(text.error());
  if (!json || !json->is_object() || !(*json)["pid"].is_integer() ||
      !(*json)["started"].is_string() || !(*json)["since_ms"].is_integer() ||
      !(*json)["what"].is_string()) {
    return std::string(kUnknown);
  }
  const std::int64_t pid = (*json)["pid"].as_integer();
  const std::string started = start_of(pid);
  if (started.empty() || started != (*json)["started"].as_string()) {
    return std::string(kUnknown);  // it has just ended, or lives in another container
  }
  const std::int64_t now_ms = io::SystemClock().now_ms();
  const std::int64_t since_ms =
      std::clamp<std::int64_t>((*json)["since_ms"].as_integer(), 0, now_ms);
  return fmt::format("{} ({}, for {} s)",
                     pid == ::getpid() ? "another thread" : fmt::format("process {}", pid),
                     printable((*json)["what"].as_string()), (now_ms - since_ms) / 1000);
}

// Whether a stop was asked for meanwhile.
bool pause(Duration time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, time, [] { return false; });
  return stop.stop_requested();
}

}  // namespace

Result<WorkLock> WorkLock::hold(const std::string& root, std::string_view key,
                                std::string_view what, const std::stop_token& stop,
                                Progress& progress) {
  const std::string folder = join_path(root, "locks");
  TRY(io::make_directories(folder));
  const std::string path = join_path(folder, Digest::of(key).hex());
  Duration time = kFirstPause;
  Duration silent = kRemindAfter;
  for (;;) {
    if (auto lock = TRY(io::FileLock::try_take(path))) {
      sign(*lock, what);
      return WorkLock(std::move(*lock));
    }
    if (silent >= kRemindAfter && time == kLongestPause) {  // no word for the blink of an eye
      progress.note(fmt::format("{}: waiting for {}", printable(what), holder_of(path)));
      silent = Duration::zero();
    }
    if (pause(time, stop)) {
      return fail(ErrorKind::kCancelled, "{}: stopped while waiting for {}", printable(what),
                  holder_of(path));
    }
    silent += time;
    time = std::min(time * 2, kLongestPause);
  }
}

WorkLock::~WorkLock() {
  if (lock_) {
    std::move(*lock_).remove();
  }
}

}  // namespace cloche::blob
