#include "source/conda/package_files.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/text.h"
#include "io/spill_buffer.h"
#include "package/conda/version.h"
#include "source/conda/held_files.h"

namespace cloche::source {
namespace {

// A relocated text's size must be known before its first byte goes out, so it is kept.
constexpr std::size_t kTextInMemory = std::size_t{32} << 20U;
constexpr std::uint64_t kMaxTextBytes = std::uint64_t{4} << 30U;
constexpr std::size_t kMaxShebang = 127;
constexpr std::uint32_t kPlain = 0644;
constexpr std::uint32_t kExecutable = 0755;

std::string major_minor(const std::string& version) {
  const std::size_t first = version.find('.');
  const std::size_t second = first == std::string::npos ? first : version.find('.', first + 1);
  return version.substr(0, second);
}

// conda: conda/common/path/python.py, get_python_noarch_target_path
std::string noarch_python_path(const std::string& path, const std::string& site_packages) {
  for (const auto& [from, to] :
       {std::pair<std::string_view, std::string_view>("site-packages/", site_packages),
        {"python-scripts/", "bin"}}) {
    if (path.starts_with(from)) {
      return std::string(to) + path.substr(from.size() - 1);
    }
  }
  return path;
}

// Real archives carry the umask of whoever packed them, and whole groups of set-uid bits: only
// whether a file may be executed is meant.
std::uint32_t plain_mode(std::uint32_t mode) { return (mode & 0111U) != 0 ? kExecutable : kPlain; }

Status check_identity(const PackageMetadata& metadata, const conda::PackageRecord& record) {
  const auto differs = [](const std::string& is, const std::string& expected) {
    return !expected.empty() && !is.empty() && is != expected;
  };
  if (to_lower(metadata.name) != to_lower(record.name) ||
      differs(metadata.version, record.version) || differs(metadata.build, record.build)) {
    return fail(ErrorKind::kInvalid, "the archive holds {}-{}-{}", printable(metadata.name),
                printable(metadata.version), printable(metadata.build))
        .with_hint("the channel's index and its files disagree; refresh the index");
  }
  return {};
}

std::string shebang_of(const std::string& interpreter) {
  std::string plain = "#!" + interpreter + "\n";
  if (plain.size() <= kMaxShebang && interpreter.find(' ') == std::string::npos) {
    return plain;
  }
  // Both shell and Python: the shell runs the interpreter, Python reads one long string.
  return "#!/bin/sh\n'''exec' \"" + interpreter + "\" \"$0\" \"$@\" #'''\n";
}

}  // namespace

Placement Placement::of(std::string prefix, const conda::PackageRecord* python) {
  Placement placement{.prefix = std::move(prefix), .python_version = {}, .site_packages = {}};
  if (python != nullptr) {
    placement.python_version = major_minor(python->version);
    placement.site_packages = python->python_site_packages_path.empty()
                                  ? "lib/python" + placement.python_version + "/site-packages"
                                  : python->python_site_packages_path;
  }
  return placement;
}

std::string entry_point_script(const EntryPoint& point, const Placement& placement) {
  const std::string import_name = point.function.substr(0, point.function.find('.'));
  return shebang_of(placement.prefix + "/bin/python" + placement.python_version) +
         fmt::format(
             "# -*- coding: utf-8 -*-\n"
             "import re\n"
             "import sys\n"
             "\n"
             "from {} import {}\n"
             "\n"
             "if __name__ == '__main__':\n"
             "    sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])\n"
             "    sys.exit({}())\n",
             point.module, import_name, point.function);
}

Result<PackageFiles> PackageFiles::open(PackageArchive archive, const conda::PackageRecord& record,
                                        const Placement& placement) {
  PackageMetadata metadata = TRY(read_package_metadata(archive));
  TRY(check_identity(metadata, record));
  PackageFiles files(std::move(archive), std::move(metadata), placement);
  files.noarch_ = record.noarch != conda::Noarch::kNone ? record.noarch : files.metadata_.noarch;
  TRY(files.place());
  return files;
}

Status PackageFiles::place() {
  const bool python = noarch_ == conda::Noarch::kPython;
  if (python && placement_.python_version.empty()) {
    return fail(ErrorKind::kInvalid, "it is a noarch python package, and there is no python")
        .with_hint("add python to the environment");
  }
  std::unordered_set<std::string> entry_points;
  if (python) {
    placement_.site_packages = TRY(
        package_path(placement_.site_packages).context("in python's python_site_packages_path"));
    for (const EntryPoint& point : metadata_.entry_points) {
      entry_points.insert("bin/" + point.command);
    }
  }
  std::unordered_set<std::string_view> taken;
  paths_.reserve(metadata_.paths.size() + entry_points.size());
  for (const PathEntry& entry : metadata_.paths) {
    PlacedPath placed;
    placed.path = python ? noarch_python_path(entry.path, placement_.site_packages) : entry.path;
    placed.entry = entry;
    if (entry_points.contains(placed.path)) {
      continue;  // conda writes entry points last
    }
    paths_.push_back(std::move(placed));
    if (!taken.insert(paths_.back().path).second) {
      return fail(ErrorKind::kInvalid, "two of its files would become {}",
                  printable(paths_.back().path));
    }
  }
  for (const EntryPoint& point : python ? metadata_.entry_points : std::vector<EntryPoint>()) {
    PlacedPath placed;
    placed.path = "bin/" + point.command;
    placed.kind = PlacedPath::Kind::kEntryPoint;
    placed.entry.path = placed.path;
    paths_.push_back(std::move(placed));
    if (!taken.insert(paths_.back().path).second) {
      return fail(ErrorKind::kInvalid, "two of its entry points are called {}",
                  printable(point.command));
    }
  }
  return {};
}

Result<std::map<std::string, std::string>> PackageFiles::symbolic_links() const {
  std::unordered_map<std::string_view, std::string_view> places;
  for (const PlacedPath& placed : paths_) {
    if (placed.kind == PlacedPath::Kind::kPath) {
      places.emplace(placed.entry.path, placed.path);
    }
  }
  std::map<std::string, std::string> links;
  EntryStream stream = TRY(archive_.contents());
  io::TarEntry entry;
  while (TRY(stream.next(entry))) {
    const auto found = places.find(entry.path);
    if (entry.kind == io::TarKind::kSymlink && found != places.end()) {
      links.emplace(found->second, entry.link_target);
    }
  }
  return links;
}

// One pass through the archive.
class PackageFiles::Delivery {
 public:
  Delivery(PackageFiles& files, FileSink& sink) : files_(files), sink_(sink) {}

  Status run() {
    index();
    EntryStream stream = TRY(files_.archive_.contents());
    io::TarEntry entry;
    while (TRY(stream.next(entry))) {
      const auto found = by_source_.find(entry.path);
      if (found == by_source_.end()) {
        continue;
      }
      PlacedPath& placed = files_.paths_[found->second];
      delivered_[found->second] = true;
      if (entry.kind == io::TarKind::kHardlink || held_.full()) {
        TRY(deliver_held());
      }
      Status status = deliver(entry, stream, placed);
      if (!status) {
        return std::move(status).context("at {}", printable(placed.entry.path)).error();
      }
    }
    TRY(deliver_held());
    return deliver_rest();
  }

 private:
  void index() {
    std::vector<PlacedPath>& paths = files_.paths_;
    delivered_.assign(paths.size(), false);
    by_source_.reserve(paths.size());
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if (paths[i].kind == PlacedPath::Kind::kPath) {
        by_source_.emplace(paths[i].entry.path, i);
      }
    }
  }

  Status deliver(const io::TarEntry& entry, EntryStream& stream, PlacedPath& placed) {
    const PathType type = placed.entry.type;
    const bool directory = entry.kind == io::TarKind::kDirectory;
    if (directory != (type == PathType::kDirectory) && type != PathType::kUnspecified) {
      return fail(ErrorKind::kCorrupt, "the package lists a {} and holds a {}",
                  directory ? "file" : "directory", directory ? "directory" : "file");
    }
    if (directory) {
      return make_directory(placed.path);
    }
    TRY(make_directory(parent_path(placed.path)));
    switch (entry.kind) {
      case io::TarKind::kSymlink:
        placed.is_link = true;
        return sink_.symlink(placed.path, entry.link_target);
      case io::TarKind::kHardlink:
        return deliver_hardlink(entry, placed);
      default:
        break;
    }
    if (type != PathType::kSoftlink && placed.entry.size_bytes &&
        *placed.entry.size_bytes != entry.size_bytes) {
      return fail(ErrorKind::kCorrupt, "it has {} bytes, the package promises {}", entry.size_bytes,
                  *placed.entry.size_bytes);
    }
    const std::uint32_t mode = plain_mode(entry.mode);
    if (placed.entry.placeholder.empty() || type == PathType::kSoftlink) {
      return deliver_plain(entry, stream, mode, placed);
    }
    return placed.entry.file_mode == FileMode::kText ? deliver_text(entry, stream, mode, placed)
                                                     : deliver_binary(entry, stream, mode, placed);
  }

  Status deliver_plain(const io::TarEntry& entry, EntryStream& stream, std::uint32_t mode,
                       PlacedPath& placed) {
    if (entry.size_bytes <= HeldFiles::kMaxFileBytes) {
      return held_.add({&placed, mode, entry.mtime_s}, stream);
    }
    Hasher hasher;
    TRY(sink_.file({placed.path, mode, entry.size_bytes, entry.mtime_s}));
    for (std::string_view piece = TRY(stream.content()); !piece.empty();
         piece = TRY(stream.content())) {
      hasher.update(piece);
      TRY(sink_.content(piece));
    }
    placed.sha256 = hasher.finish_hex();
    placed.sha256_in_prefix = placed.sha256;
    placed.size_bytes = entry.size_bytes;
    TRY(check_content(placed));
    return sink_.file_end(placed.sha256_in_prefix);
  }

  // What is held back, checked.
  Status deliver_held() {
    return held_.take([this](const HeldFiles::File& file, std::string_view content,
                             std::string sha256) -> Status {
      Status status = deliver_held(file, content, std::move(sha256));
      return status ? std::move(status)
                    : std::move(status).context("at {}", printable(file.placed->entry.path));
    });
  }

  Status deliver_held(const HeldFiles::File& file, std::string_view content, std::string sha256) {
    PlacedPath& placed = *file.placed;
    placed.sha256 = std::move(sha256);
    placed.sha256_in_prefix = placed.sha256;
    placed.size_bytes = content.size();
    TRY(check_content(placed));
    TRY(sink_.file({placed.path, file.mode, content.size(), file.mtime_s}));
    if (!content.empty()) {
      TRY(sink_.content(content));
    }
    return sink_.file_end(placed.sha256_in_prefix);
  }

  Status deliver_binary(const io::TarEntry& entry, EntryStream& stream, std::uint32_t mode,
                        PlacedPath& placed) {
    Hasher before;
    Hasher after;
    TRY(sink_.file({placed.path, mode, entry.size_bytes, entry.mtime_s}));
    PrefixReplacement replacement(FileMode::kBinary, placed.entry.placeholder,
                                  files_.placement_.prefix, [&](std::string_view piece) {
                                    after.update(piece);
                                    return sink_.content(piece);
                                  });
    TRY(feed(stream, before, replacement));
    placed.sha256 = before.finish_hex();
    placed.sha256_in_prefix = after.finish_hex();
    placed.size_bytes = entry.size_bytes;
    TRY(check_content(placed));
    return sink_.file_end(placed.sha256_in_prefix);
  }

  Status deliver_text(const io::TarEntry& entry, EntryStream& stream, std::uint32_t mode,
                      PlacedPath& placed) {
    Hasher before;
    Hasher after;
    io::SpillBuffer text(kTextInMemory, files_.archive_.temporary_directory());
    PrefixReplacement replacement(FileMode::kText, placed.entry.placeholder,
                                  files_.placement_.prefix, [&](std::string_view piece) -> Status {
                                    after.update(piece);
                                    if (text.size() + piece.size() > kMaxTextBytes) {
                                      return fail(ErrorKind::kInvalid,
                                                  "with its prefix it has more than {} bytes",
                                                  kMaxTextBytes);
                                    }
                                    return text.append(piece);
                                  });
    TRY(feed(stream, before, replacement));
    placed.sha256 = before.finish_hex();
    placed.sha256_in_prefix = after.finish_hex();
    placed.size_bytes = text.size();
    TRY(check_content(placed));
    TRY(sink_.file({placed.path, mode, text.size(), entry.mtime_s + 1}));
    TRY(text.read([&](std::string_view piece) { return sink_.content(piece); }));
    return sink_.file_end(placed.sha256_in_prefix);
  }

  static Status feed(EntryStream& stream, Hasher& hasher, PrefixReplacement& replacement) {
    for (std::string_view piece = TRY(stream.content()); !piece.empty();
         piece = TRY(stream.content())) {
      hasher.update(piece);
      TRY(replacement.append(piece));
    }
    return replacement.finish();
  }

  static Status check_content(const PlacedPath& placed) {
    if (!placed.entry.sha256.empty() && placed.entry.sha256 != placed.sha256) {
      return fail(ErrorKind::kCorrupt, "its sha256 is {}, the package promises {}", placed.sha256,
                  placed.entry.sha256);
    }
    return {};
  }

  // Its content is that of a file which came before and was checked and relocated as that file's
  // line says; so both lines must say the same.
  Status deliver_hardlink(const io::TarEntry& entry, PlacedPath& placed) {
    const std::string target = TRY(package_path(entry.link_target));
    const auto found = by_source_.find(target);
    if (found == by_source_.end() || !delivered_[found->second] ||
        files_.paths_[found->second].sha256.empty()) {
      return fail(ErrorKind::kUnsupported,
                  "it is a hard link to {}, which is no file of this package before it",
                  printable(target));
    }
    const PlacedPath& existing = files_.paths_[found->second];
    if (existing.entry.placeholder != placed.entry.placeholder ||
        (!placed.entry.placeholder.empty() && existing.entry.file_mode != placed.entry.file_mode)) {
      return fail(ErrorKind::kUnsupported,
                  "it is a hard link to {}, whose prefix is replaced in another way",
                  printable(target));
    }
    placed.sha256 = existing.sha256;
    placed.sha256_in_prefix = existing.sha256_in_prefix;
    placed.size_bytes = existing.size_bytes;
    TRY(check_content(placed));
    return sink_.hardlink(placed.path, existing.path);
  }

  Status deliver_rest() {
    for (std::size_t i = 0; i < files_.paths_.size(); ++i) {
      PlacedPath& placed = files_.paths_[i];
      if (placed.kind == PlacedPath::Kind::kEntryPoint || delivered_[i]) {
        continue;
      }
      if (placed.entry.type != PathType::kDirectory) {
        return fail(ErrorKind::kCorrupt, "the package lists {} and does not hold it",
                    printable(placed.entry.path));
      }
      TRY(make_directory(placed.path));
    }
    return deliver_entry_points();
  }

  Status deliver_entry_points() {
    std::size_t point = 0;
    for (PlacedPath& placed : files_.paths_) {
      if (placed.kind != PlacedPath::Kind::kEntryPoint) {
        continue;
      }
      const std::string script =
          entry_point_script(files_.metadata_.entry_points[point++], files_.placement_);
      placed.sha256_in_prefix = Digest::of(script).hex();
      placed.sha256 = placed.sha256_in_prefix;
      placed.size_bytes = script.size();
      TRY(make_directory(parent_path(placed.path)));
      TRY(sink_.file({placed.path, kExecutable, script.size(), timestamp_s()}));
      TRY(sink_.content(script));
      TRY(sink_.file_end(placed.sha256_in_prefix));
    }
    return {};
  }

  // When the package was built: what is generated has no time of its own. conda-build once wrote
  // seconds (conda: conda/models/records.py, TimestampField).
  std::int64_t timestamp_s() const {
    constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999
    const Json& timestamp = files_.metadata_.index["timestamp"];
    const std::int64_t value = timestamp.is_integer() ? timestamp.as_integer() : 0;
    return std::max<std::int64_t>(0, value > kLastSecond ? value / 1000 : value);
  }

  // With those above it, each once.
  Status make_directory(const std::string& path) {
    if (path.empty() || !directories_.insert(path).second) {
      return {};
    }
    TRY(make_directory(parent_path(path)));
    return sink_.directory(path);
  }

  PackageFiles& files_;
  FileSink& sink_;
  std::unordered_map<std::string_view, std::size_t> by_source_;
  std::vector<bool> delivered_;
  std::unordered_set<std::string> directories_;
  HeldFiles held_;
};

Status PackageFiles::deliver(FileSink& sink) { return Delivery(*this, sink).run(); }

}  // namespace cloche::source
