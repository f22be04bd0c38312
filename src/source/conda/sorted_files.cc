#include "source/conda/sorted_files.h"

#include "core/digest.h"
#include "core/files.h"

namespace cloche::source {
namespace {

constexpr std::size_t kContentInMemory = std::size_t{32} << 20U;

// Python compares a source's time with the one in the bytecode that the package brings, and would
// compile it again at each start. Everything else has the fixed time.
std::int64_t time_of(const std::string& path, std::int64_t mtime_s) {
  return path.ends_with(".py") ? mtime_s : blob::kFixedTime;
}

}  // namespace

SortedFiles::SortedFiles(const std::string& temporary_directory, const LinkWays& ways,
                         PackingShare& share, const std::stop_token& stop)
    : contents_(kContentInMemory, temporary_directory), ways_(ways), share_(share), stop_(stop) {}

Status SortedFiles::directory(const std::string& path) {
  items_[ways_.directory(path)].kind = io::TarKind::kDirectory;
  return {};
}

Status SortedFiles::file(const File& file) {
  if (stop_.stop_requested()) {
    return fail(ErrorKind::kCancelled, "stopped");
  }
  open_ = &items_[ways_.path(file.path)];
  *open_ = {.kind = io::TarKind::kFile,
            .mode = file.mode,
            .size_bytes = file.size_bytes,
            .mtime_s = time_of(file.path, file.mtime_s),
            .at = contents_.size(),
            .text = {}};
  return {};
}

Status SortedFiles::file_end(const std::string& sha256) {
  open_->text = sha256;
  return {};
}

Status SortedFiles::symlink(const std::string& path, const std::string& target) {
  items_[ways_.path(path)] = {.kind = io::TarKind::kSymlink, .text = target};
  return {};
}

Status SortedFiles::hardlink(const std::string& path, const std::string& existing) {
  items_[ways_.path(path)] = {.kind = io::TarKind::kHardlink, .text = ways_.path(existing)};
  return {};
}

Status SortedFiles::add(const std::string& path, std::string_view content) {
  const std::string sha256 = Digest::of(content).hex();
  TRY(file({path, 0644, content.size(), blob::kFixedTime}));
  TRY(this->content(content));
  return file_end(sha256);
}

Status SortedFiles::write(const std::string& prefix, const Paths& lost,
                          blob::SegmentWriter& segment) {
  std::map<std::string_view, std::string_view, InOrder> first;  // of each file's names
  for (const auto& [path, item] : items_) {
    if (!lost.contains(path) &&
        (item.kind == io::TarKind::kFile || item.kind == io::TarKind::kHardlink)) {
      first.try_emplace(content_of(path, item), path);
    }
  }
  for (const auto& [path, item] : items_) {
    if (!lost.contains(path)) {
      const auto found = first.find(content_of(path, item));
      TRY(write(prefix, path, found == first.end() ? path : found->second, item, segment));
    }
  }
  return {};
}

// The path whose content this is: another one for hard links.
std::string_view SortedFiles::content_of(const std::string& path, const Item& item) {
  return item.kind == io::TarKind::kHardlink ? std::string_view(item.text) : path;
}

// `first`: the name of this file that is written before its others.
Status SortedFiles::write(const std::string& prefix, const std::string& path,
                          std::string_view first, const Item& item, blob::SegmentWriter& segment) {
  const std::string place = join_path(prefix, path);
  switch (item.kind) {
    case io::TarKind::kDirectory:
      return segment.directory(place);
    case io::TarKind::kSymlink:
      return segment.symlink(place, item.text);
    default:
      break;
  }
  if (path != first) {
    return segment.hardlink(place, join_path(prefix, first));
  }
  const Item& content = item.kind == io::TarKind::kHardlink ? items_.find(item.text)->second : item;
  TRY(segment.entry({.path = place,
                     .mode = content.mode,
                     .size_bytes = content.size_bytes,
                     .mtime_s = content.mtime_s},
                    content.text));
  return contents_.read_part(content.at, content.size_bytes, [&](std::string_view piece) {
    share_.passed(piece.size());
    return segment.content(piece);
  });
}

}  // namespace cloche::source
