#include "jobs/log_times.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/descriptor.h"
#include "io/directory_tree.h"

namespace cloche::jobs {
namespace {

struct Entry {
  std::int64_t ms = 0;
  std::uint64_t bytes = 0;
};
static_assert(sizeof(Entry) == 16);

std::optional<Entry> read_entry(const io::Descriptor& file, std::uint64_t index) {
  Entry out;
  const ssize_t count =
      ::pread(file.get(), &out, sizeof out, static_cast<off_t>(index * sizeof out));
  return count == sizeof out ? std::optional(out) : std::nullopt;
}

std::uint64_t count_entries(const io::Descriptor& file) {
  struct stat found{};
  return ::fstat(file.get(), &found) == 0
             ? static_cast<std::uint64_t>(found.st_size) / sizeof(Entry)
             : 0;
}

}  // namespace

void note_log_size(const std::string& log, const std::string& times, std::int64_t now) {
  struct stat found{};
  if (::lstat(log.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) {
    return;
  }
  const io::Descriptor file(::open(times.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.valid()) {
    return;
  }
  const std::uint64_t count = count_entries(file);
  const auto size = static_cast<std::uint64_t>(found.st_size);
  if (count > 0) {
    const auto last = read_entry(file, count - 1);
    if (last && last->bytes >= size) {
      return;
    }
  }
  const Entry entry{now, size};
  // At a whole entry's place, so that a torn one is written over.
  static_cast<void>(
      ::pwrite(file.get(), &entry, sizeof entry, static_cast<off_t>(count * sizeof entry)));
}

std::uint64_t log_offset_at(const std::string& times, std::int64_t ms) {
  const io::Descriptor file(::open(times.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) {
    return 0;
  }
  std::uint64_t low = 0;
  std::uint64_t high = count_entries(file);
  std::uint64_t out = 0;
  while (low < high) {
    const std::uint64_t middle = low + ((high - low) / 2);
    const auto entry = read_entry(file, middle);
    if (entry && entry->ms <= ms) {
      out = entry->bytes;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return out;
}

std::string log_tail(const std::string& folder, const std::string& name, std::size_t bytes,
                     std::size_t lines) {
  const auto tree = io::DirectoryTree::open(folder);
  if (!tree) {
    return {};
  }
  const auto file = tree->open_file(name);
  if (!file) {
    return {};
  }
  struct stat found{};
  if (::fstat(file->get(), &found) != 0 || !S_ISREG(found.st_mode)) {
    return {};
  }
  const auto size = static_cast<std::size_t>(found.st_size);
  std::string out(std::min(size, bytes), '\0');
  const ssize_t count =
      ::pread(file->get(), out.data(), out.size(), static_cast<off_t>(size - out.size()));
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(0, count)));
  std::size_t begin = out.size();
  for (std::size_t left = lines; left > 0 && begin > 0; --left) {
    const std::size_t feed = begin < 2 ? std::string::npos : out.rfind('\n', begin - 2);
    begin = feed == std::string::npos ? 0 : feed + 1;
  }
  return out.substr(begin);
}

}  // namespace cloche::jobs
