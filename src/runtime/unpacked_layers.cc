#include "runtime/unpacked_layers.h"

#include <cerrno>
#include <cstdio>
#include <optional>
#include <set>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob/cached_directory.h"
#include "blob/unpack.h"
#include "blob/work_lock.h"
#include "core/files.h"
#include "io/descriptor.h"
#include "io/directory_tree.h"
#include "io/file.h"
#include "io/reader.h"
#include "io/system_error.h"
#include "io/temporary.h"
#include "io/tree_entry.h"

namespace cloche::runtime {
namespace {

constexpr std::string_view kPart = ".part";
// Beside a layer that hides everything below it (blob::Unpacked::hides_all).
constexpr std::string_view kHidesAll = ".hides-all";

bool exists(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0;
}

Status remove_tree(const std::string& folder, const std::string& name) {
  const io::DirectoryTree tree = TRY(io::DirectoryTree::open(folder));
  const auto place = TRY(tree.place_of(name));
  return io::TreeEntry(place, name).remove_all();
}

// What was left by somebody who died while he made this layer: the lock on it is ours.
Status remove_leftovers(const std::string& folder, const std::string& hex) {
  const io::Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid()) {
    return io::system_error(errno, "open", folder);
  }
  return io::for_each_name(opened, folder, [&](const std::string& name) -> Status {
    const bool left = name.starts_with(hex + ".") && name.ends_with(kPart);
    return left ? remove_tree(folder, name) : Status();
  });
}

// All that was written to the file system is on disk: a layer is many files, and one call for all
// is much less than one for each.
Status sync_file_system(const std::string& folder) {
  const io::Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.valid() && ::syncfs(opened.get()) == 0
             ? Status()
             : Status(io::system_error(errno, "sync", folder));
}

}  // namespace

UnpackedLayers::UnpackedLayers(std::string cache) : cache_(std::move(cache)) {}

std::string UnpackedLayers::place_of(const Digest& diff_id) const {
  return fmt::format("{}/unpacked/{}", cache_, diff_id.hex());
}

Result<std::vector<std::string>> UnpackedLayers::get(
    const image::Manifest& manifest, const image::ImageConfig& config, const blob::BlobStore& blobs,
    io::ThreadPool& pool, const std::stop_token& stop, Progress& progress) const {
  TRY(image::check_layers(manifest, config));
  std::vector<std::size_t> missing;  // each once, though an image may have a layer twice
  std::set<Digest> seen;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < config.diff_ids.size(); ++i) {
    const std::string place = place_of(config.diff_ids[i]);
    if (seen.insert(config.diff_ids[i]).second && !blob::use_directory(parent_path(place), place)) {
      missing.push_back(i);
      bytes += manifest.layers[i].size_bytes;
    }
  }
  if (!missing.empty()) {
    TRY(io::make_directories(cache_ + "/unpacked"));
    progress.begin("unpacking", bytes, Progress::Unit::kBytes);
    Status done = pool.run(
        missing.size(),
        [&](std::size_t i) {
          return unpack_layer(manifest.layers[missing[i]], config.diff_ids[missing[i]], blobs, stop,
                              progress);
        },
        stop);
    progress.end("unpacking");
    TRY(std::move(done));
  }
  std::vector<std::string> out;
  for (const Digest& diff_id : config.diff_ids) {
    std::string place = place_of(diff_id);
    if (exists(place + std::string(kHidesAll))) {
      out.clear();
    }
    std::erase(out, place);  // what a layer brings a second time lies above what came between
    out.push_back(std::move(place));
  }
  return out;
}

Status UnpackedLayers::unpack_layer(const image::Descriptor& layer, const Digest& diff_id,
                                    const blob::BlobStore& blobs, const std::stop_token& stop,
                                    Progress& progress) const {
  const std::string place = place_of(diff_id);
  const std::string folder = parent_path(place);
  const blob::WorkLock lock = TRY(
      blob::WorkLock::hold(cache_, "unpacked " + diff_id.hex(),
                           "unpacking the layer " + diff_id.hex().substr(0, 12), stop, progress));
  if (exists(place)) {
    progress.advance("unpacking", layer.size_bytes, diff_id.hex().substr(0, 12));
    return {};
  }
  TRY(remove_leftovers(folder, diff_id.hex()));
  const std::string name = fmt::format("{}.{}{}", diff_id.hex(), io::random_name(), kPart);
  const std::string part = join_path(folder, name);
  if (::mkdir(part.c_str(), 0755) != 0) {
    return io::system_error(errno, "create the directory", part);
  }
  io::FileReader reader = TRY(io::FileReader::open(TRY(blobs.path(layer.digest))));
  const blob::UnpackOptions options = {.whiteouts = blob::UnpackOptions::Whiteouts::kKeep,
                                       .owners = ::geteuid() == 0,
                                       .devices = blob::UnpackOptions::Devices::kSkip};
  auto unpacked = blob::unpack(reader, part, options, stop);
  if (unpacked && unpacked->diff_id != diff_id) {
    unpacked = fail(ErrorKind::kCorrupt, "it holds {}, not {}", unpacked->diff_id.to_string(),
                    diff_id.to_string());
  }
  if (!unpacked) {
    (void)remove_tree(folder, name);
    Error error = std::move(unpacked).error();
    error.context.push_back(fmt::format("unpacking the layer {}", layer.digest.to_string()));
    return error;
  }
  if (unpacked->hides_all) {
    TRY(io::write_file_atomically(place + std::string(kHidesAll), ""));
  }
  TRY(sync_file_system(folder));
  if (::rename(part.c_str(), place.c_str()) != 0) {
    const int number = errno;
    (void)remove_tree(folder, name);
    if (number != EEXIST && number != ENOTEMPTY) {
      return io::system_error(number, "rename", part);
    }
  }
  progress.advance("unpacking", layer.size_bytes, diff_id.hex().substr(0, 12));
  return {};
}

}  // namespace cloche::runtime
