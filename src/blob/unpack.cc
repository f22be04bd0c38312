#include "blob/unpack.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/files.h"
#include "core/text.h"
#include "io/decompress.h"
#include "io/descriptor.h"
#include "io/directory_tree.h"
#include "io/tar_reader.h"
#include "io/tree_entry.h"

namespace cloche::blob {
namespace {

using io::DirectoryTree;
using io::TarEntry;
using io::TarKind;
using io::TreeEntry;
using Place = DirectoryTree::Place;

constexpr std::uint64_t kAlwaysAllowedBytes = std::uint64_t{256} << 20U;
constexpr std::size_t kMaxPathBytes = 4096;
constexpr std::size_t kMaxPartBytes = 255;
constexpr std::size_t kMaxHiddenDepth = 256;  // of folders below an opaque one that are looked into
constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::string_view kAufs = ".wh..wh.";  // what AUFS kept for itself; Docker skips it too

std::string shown(std::string_view path) { return printable(path.substr(0, 200)); }

// Counts what is read of an archive.
class CountingReader : public io::Reader {
 public:
  explicit CountingReader(io::Reader& source) : source_(source) {}
  Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = TRY(source_.read(buffer));
    bytes_ += count;
    return count;
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  io::Reader& source_;
  std::uint64_t bytes_ = 0;
};

// The tar stream: hashed, and ended when it grows out of all proportion.
class StreamReader : public io::Reader {
 public:
  StreamReader(io::Reader& stream, const CountingReader& packed, std::uint64_t max_expansion,
               const std::stop_token& stop)
      : stream_(stream), packed_(packed), max_expansion_(max_expansion), stop_(stop) {}

  Result<std::size_t> read(std::span<char> buffer) override {
    if (stop_.stop_requested()) {
      return fail(ErrorKind::kCancelled, "stopped");
    }
    const std::size_t count = TRY(stream_.read(buffer));
    hasher_.update(std::string_view(buffer.data(), count));
    bytes_ += count;
    if (bytes_ > kAlwaysAllowedBytes && bytes_ / max_expansion_ > packed_.bytes()) {
      return fail(ErrorKind::kInvalid, "it is more than {} times as large as its archive",
                  max_expansion_)
          .with_hint("whoever made this meant to fill the disk");
    }
    return count;
  }

  Digest digest() { return hasher_.finish(); }

 private:
  io::Reader& stream_;
  const CountingReader& packed_;
  std::uint64_t max_expansion_;
  const std::stop_token& stop_;
  Hasher hasher_;
  std::uint64_t bytes_ = 0;
};

// "./usr//bin/" is "usr/bin", "/" is "".
Result<std::string> plain_path(std::string_view path) {
  const auto refuse = [](std::string_view why) { return fail(ErrorKind::kInvalid, "{}", why); };
  if (path.find('\0') != std::string_view::npos) {
    return refuse("its name holds a NUL byte");
  }
  std::string out;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") {
      continue;
    }
    if (part == "..") {
      return refuse("its name leads out with '..'");
    }
    if (part.size() > kMaxPartBytes) {
      return refuse("a part of its name is too long");
    }
    out += out.empty() ? "" : "/";
    out += part;
  }
  return out.size() > kMaxPathBytes ? Result<std::string>(refuse("its name is too long"))
                                    : Result<std::string>(std::move(out));
}

// A name in a directory, whatever path leads there.
std::string key_of(const struct stat& directory, std::string_view name) {
  return fmt::format("{}:{}/{}", directory.st_dev, directory.st_ino, name);
}

class Unpacking {
 public:
  Unpacking(const DirectoryTree& tree, io::TarReader& tar, const UnpackOptions& options)
      : tree_(tree), tar_(tar), options_(options) {}

  Result<Unpacked> run() {
    root_ = TRY(stat_of(TRY(tree_.place_of("")).directory, ""));
    TarEntry entry;
    std::string last;
    while (TRY(next(entry, last))) {
      auto status = take(entry);
      if (!status) {
        Error error = std::move(status).error();
        error.message = fmt::format("{}: {}", shown(entry.path), error.message);
        return error;
      }
      last = entry.path;
    }
    if (keeps_whiteouts()) {
      TRY(write_whiteouts());
    }
    TRY(finish_directories());
    return done_;
  }

 private:
  Result<bool> next(TarEntry& entry, const std::string& last) {
    auto more = tar_.next(entry);
    if (!more && !last.empty()) {
      Error error = std::move(more).error();
      error.message = fmt::format("after {}: {}", shown(last), error.message);
      return error;
    }
    return more;
  }

  Status take(const TarEntry& entry) {
    if (++done_.entries > options_.max_entries) {
      return fail(ErrorKind::kInvalid, "it is more than the {} entries that are allowed",
                  options_.max_entries);
    }
    const std::string path = TRY(plain_path(entry.path));
    TRY(check_whiteout(path));
    if (path.empty()) {
      return take_root(entry);
    }
    if (keeps_whiteouts() && base_name(path).starts_with(kWhiteout)) {
      whiteouts_.push_back(path);
      return {};
    }
    const Place place = TRY(make_way(path));
    const TreeEntry there(place, path);
    if (base_name(path).starts_with(kWhiteout)) {
      return take_whiteout(path, place);
    }
    if (entry.kind == TarKind::kDevice && options_.devices != UnpackOptions::Devices::kCreate) {
      return options_.devices == UnpackOptions::Devices::kSkip
                 ? Status()
                 : Status(fail(ErrorKind::kUnsupported, "it is a device"));
    }
    TRY(make(entry, path, place, there));
    return note_own(place, path);
  }

  // That a name is of this archive, and that the folders above it hold something that is: walked
  // upwards by "..", which says where they really lie, until one that is known.
  Status note_own(const Place& place, const std::string& path) {
    struct stat info = TRY(stat_of(place.directory, path));
    own_.insert(key_of(info, place.name));
    io::Descriptor above;
    int here = place.directory.get();
    while (holding_.insert(key_of(info, "")).second &&
           (info.st_ino != root_.st_ino || info.st_dev != root_.st_dev)) {
      above = io::Descriptor(::openat(here, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
      here = above.get();
      info = TRY(stat_of(above, path));
    }
    return {};
  }

  Status check_whiteout(const std::string& path) const {
    for (const std::string_view part : split(path, '/')) {
      if (!part.starts_with(kWhiteout)) {
        continue;
      }
      const bool last = part.data() + part.size() == path.data() + path.size();
      const std::string_view hidden = part.substr(kWhiteout.size());
      if (!options_.layer) {
        return fail(ErrorKind::kInvalid, "its name is of a whiteout, and this is no layer");
      }
      if (!last || hidden.empty() || hidden == "." || hidden == "..") {
        return fail(ErrorKind::kInvalid, "it is a whiteout of nothing that can be");
      }
    }
    return {};
  }

  Status take_root(const TarEntry& entry) {
    if (entry.kind != TarKind::kDirectory) {
      return fail(ErrorKind::kInvalid, "it would take the place of the whole directory");
    }
    directories_.push_back({"", attributes_of(entry)});
    return {};
  }

  // The place of a path; the folders above it are made where there are none.
  Result<Place> make_way(const std::string& path) {
    auto place = tree_.place_of(path);
    if (place || place.error().kind != ErrorKind::kNotFound) {
      return place;
    }
    for (std::size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      const std::string above = path.substr(0, slash);
      const Place at = TRY(tree_.place_of(above));
      const TreeEntry folder(at, above);
      if (!TRY(folder.look())) {
        TRY(make_directory(folder, at));
        TRY(note_own(at, above));
      }
    }
    return tree_.place_of(path);
  }

  // A directory's path is kept as short as the system can name it, so that every program can reach
  // what lies in it, and remove it.
  static Status make_directory(const TreeEntry& entry, const Place& place) {
    std::string name(kMaxPathBytes + 1, '\0');
    const ssize_t size = ::readlink(fmt::format("/proc/self/fd/{}", place.directory.get()).c_str(),
                                    name.data(), name.size());
    if (size < 0 || static_cast<std::size_t>(size) + place.name.size() + 2 > kMaxPathBytes) {
      return fail(ErrorKind::kInvalid, "it lies too deep: no path can name it");
    }
    return entry.make_directory();
  }

  Status make(const TarEntry& entry, const std::string& path, const Place& place,
              const TreeEntry& there) {
    const auto old = TRY(there.look());
    const bool was_directory = old && S_ISDIR(old->st_mode);
    if (entry.kind == TarKind::kDirectory) {
      if (old && !was_directory) {
        TRY(there.remove_all());
      }
      if (!was_directory) {
        TRY(make_directory(there, place));
      }
      directories_.push_back({path, attributes_of(entry)});
      return {};
    }
    if (entry.kind == TarKind::kHardlink) {
      return make_hardlink(entry, there, old);
    }
    if (old) {
      TRY(there.remove_all());
    }
    switch (entry.kind) {
      case TarKind::kFile:
        TRY(make_file(entry, there, path));
        break;
      case TarKind::kSymlink:
        TRY(make_symlink(entry, there));
        break;
      case TarKind::kFifo:
        TRY(there.make_fifo());
        break;
      default:
        TRY(make_device(entry, there));
    }
    return set(there, attributes_of(entry), entry.kind);
  }

  Status make_file(const TarEntry& entry, const TreeEntry& there, const std::string& path) {
    if (entry.size_bytes > options_.max_bytes - done_.size_bytes) {
      return fail(ErrorKind::kInvalid, "with it there are more than the {} bytes that are allowed",
                  options_.max_bytes);
    }
    const io::Descriptor file = TRY(there.create_file());
    while (true) {
      const std::string_view piece = TRY(tar_.content());
      if (piece.empty()) {
        break;
      }
      TRY(io::write_all(file, piece, path));
    }
    done_.size_bytes += entry.size_bytes;
    return {};
  }

  static Status make_symlink(const TarEntry& entry, const TreeEntry& there) {
    if (entry.link_target.empty() || entry.link_target.find('\0') != std::string::npos) {
      return fail(ErrorKind::kInvalid, "it is a link to nothing");
    }
    return there.make_symlink(entry.link_target);
  }

  Status make_hardlink(const TarEntry& entry, const TreeEntry& there,
                       const std::optional<struct stat>& old) {
    const auto refuse = [&](std::string_view why) {
      return fail(ErrorKind::kInvalid, "it is a hard link to {}, which {}",
                  shown(entry.link_target), why);
    };
    auto target = plain_path(entry.link_target);
    if (!target || target->empty()) {
      return refuse("is not below this directory");
    }
    auto place = tree_.place_of(*target);
    if (!place) {
      return place.error().kind == ErrorKind::kUnavailable ? place.error() : refuse("is not there");
    }
    const auto existing = TRY(TreeEntry(*place, *target).look());
    if (!existing) {
      return refuse("is not there");
    }
    if (!S_ISREG(existing->st_mode) && !S_ISLNK(existing->st_mode)) {
      return refuse("is no file");
    }
    if (old && old->st_ino == existing->st_ino && old->st_dev == existing->st_dev) {
      return {};  // they are one already
    }
    if (old) {
      TRY(there.remove_all());
      if (!TRY(TreeEntry(*place, *target).look())) {
        return refuse("it would replace");
      }
    }
    return there.make_hardlink(*place);
  }

  static Status make_device(const TarEntry& entry, const TreeEntry& there) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
    if (entry.device_major > kMax || entry.device_minor > kMax) {
      return fail(ErrorKind::kInvalid, "it is a device whose number is none");
    }
    return there.make_device(entry.block_device, static_cast<std::uint32_t>(entry.device_major),
                             static_cast<std::uint32_t>(entry.device_minor));
  }

  // --- attributes ---

  struct Attributes {
    std::uint32_t mode = 0;
    std::uint64_t uid = 0;
    std::uint64_t gid = 0;
    std::int64_t mtime_s = 0;
    std::vector<std::pair<std::string, std::string>> xattrs;
  };

  Attributes attributes_of(const TarEntry& entry) const {
    constexpr std::uint32_t kWithoutSetId = 01777;
    return {.mode = options_.owners ? entry.mode : entry.mode & kWithoutSetId,
            .uid = entry.uid,
            .gid = entry.gid,
            .mtime_s = entry.mtime_s,
            .xattrs = entry.xattrs};
  }

  Status set(const TreeEntry& there, const Attributes& attributes, TarKind kind) const {
    if (options_.owners) {
      constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max() - 1;
      if (attributes.uid > kMax || attributes.gid > kMax) {
        return fail(ErrorKind::kInvalid, "its owner is no number of a user");
      }
      TRY(there.set_owner(static_cast<std::uint32_t>(attributes.uid),
                          static_cast<std::uint32_t>(attributes.gid)));
    }
    if (kind != TarKind::kSymlink) {
      TRY(there.set_mode(attributes.mode));  // a change of owner takes bits away
    }
    TRY(set_xattrs(there, attributes, kind));
    return there.set_mtime(attributes.mtime_s);
  }

  Status set_xattrs(const TreeEntry& there, const Attributes& attributes, TarKind kind) const {
    for (const auto& [name, value] : attributes.xattrs) {
      const bool allowed =
          (name.starts_with("user.") && !name.starts_with("user.overlay.") &&
           (kind == TarKind::kFile || kind == TarKind::kDirectory)) ||
          (options_.owners && name == "security.capability" && kind == TarKind::kFile);
      if (!allowed || name.find('\0') != std::string::npos) {
        continue;
      }
      if (!TRY(there.set_xattr(name, value)) && !name.starts_with("user.")) {
        return fail(ErrorKind::kUnsupported, "the file system cannot keep its {}", name);
      }
    }
    return {};
  }

  // Folders get theirs last: what is written into them changes their time, and one without the
  // permission to write could not be filled. One that was replaced meanwhile has none.
  Status finish_directories() {
    for (auto one = directories_.rbegin(); one != directories_.rend(); ++one) {
      const auto place = tree_.place_of(one->path);
      if (!place) {
        continue;
      }
      const TreeEntry there(*place, one->path);
      const auto info = TRY(there.look());
      if (info && S_ISDIR(info->st_mode) &&
          finished_.insert(fmt::format("{}:{}", info->st_dev, info->st_ino)).second) {
        auto status = set(there, one->attributes, TarKind::kDirectory);
        TRY(std::move(status).context("in the directory {}", shown(one->path)));
      }
    }
    return {};
  }

  // --- whiteouts ---

  Status take_whiteout(const std::string& path, const Place& place) {
    const std::string_view name = base_name(path);
    if (name == kOpaque) {
      return hide_below(place.directory, parent_path(path), 0);
    }
    if (name.starts_with(kAufs)) {
      return {};
    }
    const Place hidden{.directory = io::Descriptor(::dup(place.directory.get())),
                       .name = std::string(name.substr(kWhiteout.size()))};
    if (!hidden.directory.valid()) {
      return fail(ErrorKind::kUnavailable, "too many open files");
    }
    // Layer.md: what is in the same layer is not hidden by its whiteouts.
    return hide(hidden, join_path(parent_path(path), hidden.name), 0);
  }

  // Takes away what is not this layer's.
  Status hide(const Place& place, const std::string& path, std::size_t depth) {
    const TreeEntry there(place, path);
    const bool own = own_.contains(key_of(TRY(stat_of(place.directory, path)), place.name));
    const auto info = TRY(there.look());
    const bool directory = info && S_ISDIR(info->st_mode);
    if (directory && (own || holding_.contains(key_of(*info, "")))) {
      return hide_below(TRY(there.open_directory()), path, depth + 1);
    }
    return own ? Status() : there.remove_all();
  }

  Status hide_below(const io::Descriptor& directory, const std::string& path, std::size_t depth) {
    if (depth > kMaxHiddenDepth) {
      return fail(ErrorKind::kInvalid, "it hides folders that lie too deep");
    }
    std::vector<std::string> names;
    TRY(io::for_each_name(directory, path, [&](const std::string& name) -> Status {
      names.push_back(name);
      return {};
    }));
    for (const std::string& name : names) {
      const Place place{.directory = io::Descriptor(::dup(directory.get())), .name = name};
      if (!place.directory.valid()) {
        return fail(ErrorKind::kUnavailable, "too many open files");
      }
      TRY(hide(place, join_path(path, name), depth));
    }
    return {};
  }

  bool keeps_whiteouts() const { return options_.whiteouts == UnpackOptions::Whiteouts::kKeep; }

  // After everything else, when it is known what the layer itself brings: that is not hidden, and a
  // folder that is hidden and brought is one that hides what lies below it.
  Status write_whiteouts() {
    for (const std::string& path : whiteouts_) {
      Status status = write_whiteout(path);
      TRY(std::move(status).context("at {}", shown(path)));
    }
    return {};
  }

  Status write_whiteout(const std::string& path) {
    const std::string_view name = base_name(path);
    const std::string folder = parent_path(path);
    if (name == kOpaque) {
      return folder.empty() ? hide_all() : make_opaque(folder);
    }
    if (name.starts_with(kAufs)) {
      return {};
    }
    const std::string hidden = join_path(folder, name.substr(kWhiteout.size()));
    const Place place = TRY(make_way(hidden));
    const TreeEntry there(place, hidden);
    const auto old = TRY(there.look());
    if (!old) {
      return there.make_device(false, 0, 0);
    }
    return S_ISDIR(old->st_mode) ? set_opaque(there) : Status();
  }

  Status hide_all() {
    done_.hides_all = true;
    return {};
  }

  Status make_opaque(const std::string& folder) {
    const Place place = TRY(make_way(folder));
    const TreeEntry there(place, folder);
    const auto old = TRY(there.look());
    if (!old) {
      TRY(make_directory(there, place));
    } else if (!S_ISDIR(old->st_mode)) {
      return {};  // what is no folder hides all that lies below it
    }
    return set_opaque(there);
  }

  // In the name that root's mounts read, and in the one of mounts in a user namespace
  // ("userxattr").
  Status set_opaque(const TreeEntry& folder) const {
    if (!TRY(folder.set_xattr("user.overlay.opaque", "y"))) {
      return fail(ErrorKind::kUnsupported, "the file system cannot keep attributes");
    }
    if (options_.owners) {
      // Root of a user namespace may not, and mounts with the other one.
      const auto set = folder.set_xattr("trusted.overlay.opaque", "y");
      if (!set && set.error().kind != ErrorKind::kPermission) {
        return set.error();
      }
    }
    return {};
  }

  static Result<struct stat> stat_of(const io::Descriptor& directory, const std::string& path) {
    struct stat info{};
    if (::fstat(directory.get(), &info) != 0) {
      return fail(ErrorKind::kUnavailable, "cannot look at the folder of {}", shown(path));
    }
    return info;
  }

  struct Directory {
    std::string path;
    Attributes attributes;
  };

  const DirectoryTree& tree_;
  io::TarReader& tar_;
  const UnpackOptions& options_;
  struct stat root_{};
  Unpacked done_;
  std::vector<Directory> directories_;
  std::vector<std::string> whiteouts_;       // with Whiteouts::kKeep: their paths
  std::unordered_set<std::string> own_;      // key_of() what this archive brought
  std::unordered_set<std::string> holding_;  // key_of() the folders that hold some of it, and ""
  std::unordered_set<std::string> finished_;
};

// What follows the archive's end belongs to the stream, and so to its digest.
Status drain(io::Reader& stream) {
  std::string buffer(std::size_t{128} << 10U, '\0');
  while (TRY(stream.read(buffer)) > 0) {
  }
  return {};
}

}  // namespace

Result<Unpacked> unpack(io::Reader& source, const std::string& directory,
                        const UnpackOptions& options, const std::stop_token& stop) {
  const DirectoryTree tree = TRY(DirectoryTree::open(directory, DirectoryTree::Links::kAsRoot));
  CountingReader packed(source);
  const std::unique_ptr<io::Reader> plain = TRY(io::decompress_any(packed));
  StreamReader stream(*plain, packed, std::max<std::uint64_t>(options.max_expansion, 1), stop);
  io::TarReader tar(stream);
  Unpacked done = TRY(Unpacking(tree, tar, options).run());
  TRY(drain(stream));
  done.diff_id = stream.digest();
  return done;
}

}  // namespace cloche::blob
