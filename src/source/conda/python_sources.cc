#include "source/conda/python_sources.h"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <sys/stat.h>

#include "core/files.h"
#include "core/text.h"
#include "io/file.h"
#include "io/system_error.h"
#include "source/conda/bytecode.h"

namespace cloche::source {
namespace {

constexpr std::uint64_t kMaxBytecodeBytes = std::uint64_t{256} << 20U;

}  // namespace

Result<PythonSources> PythonSources::create(const std::string& directory,
                                            const std::vector<std::string>& wanted,
                                            const LinkWays& ways, const std::stop_token& stop) {
  return PythonSources(TRY(io::DirectoryTree::open(directory)), wanted, ways, stop);
}

Status PythonSources::file(const File& file) {
  if (stop_.stop_requested()) {
    return fail(ErrorKind::kCancelled, "stopped");
  }
  const std::string path = ways_.path(file.path);
  if (!wanted_.contains(path)) {
    return {};
  }
  TRY(make_directories(parent_path(path)));
  open_ = TRY(tree_.create_file(path, 0644));
  mtime_s_ = file.mtime_s;
  written_.push_back(path);
  return {};
}

Status PythonSources::content(std::string_view piece) {
  return open_.valid() ? io::write_all(open_, piece, written_.back()) : Status();
}

Status PythonSources::file_end(const std::string& /*sha256*/) {
  if (open_.valid()) {
    // Bytecode of Pythons before 3.7 holds it.
    const std::array<timespec, 2> times = {{{mtime_s_, 0}, {mtime_s_, 0}}};
    if (::futimens(open_.get(), times.data()) != 0) {
      return io::system_error(errno, "set the time of", written_.back());
    }
    open_.close();
  }
  return {};
}

std::vector<std::string> PythonSources::paths() const {
  std::vector<std::string> sorted = written_;
  std::ranges::sort(sorted);
  return sorted;
}

Status PythonSources::make_directories(const std::string& path) {
  if (path.empty() || !directories_.insert(path).second) {
    return {};
  }
  TRY(make_directories(parent_path(path)));
  return tree_.make_directory(path);
}

Result<std::map<std::string, std::string>> read_bytecode(const std::string& directory,
                                                         const std::vector<std::string>& sources,
                                                         std::string_view tag) {
  std::map<std::string, std::string> all;
  if (sources.empty()) {
    return all;
  }
  const io::DirectoryTree tree = TRY(io::DirectoryTree::open(directory));
  for (const std::string& source : sources) {
    std::string path = bytecode_path(source, tag);
    const auto place = tree.place_of(path);
    struct stat info{};
    if (!place ||
        ::fstatat(place->directory.get(), place->name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(info.st_mode)) {
      continue;
    }
    if (static_cast<std::uint64_t>(info.st_size) > kMaxBytecodeBytes) {
      return fail(ErrorKind::kInvalid, "the bytecode of {} has {} bytes", printable(source),
                  info.st_size);
    }
    const io::Descriptor file(::openat(place->directory.get(), place->name.c_str(),
                                       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.valid()) {
      return io::system_error(errno, "read", path);
    }
    std::string content(static_cast<std::size_t>(info.st_size), '\0');
    std::size_t size = 0;
    while (const std::size_t count =
               TRY(io::read_some(file, content.data() + size, content.size() - size, path))) {
      size += count;
    }
    content.resize(size);
    all.emplace(std::move(path), std::move(content));
  }
  return all;
}

}  // namespace cloche::source
