#include "source/conda/package_segment.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "core/files.h"
#include "core/text.h"
#include "io/file.h"
#include "io/spill_buffer.h"
#include "source/conda/package_archive.h"
#include "source/conda/package_files.h"
#include "source/conda/prefix_record.h"

namespace cloche::source {
namespace {

constexpr std::string_view kActivity = "packing";
constexpr std::size_t kContentInMemory = std::size_t{32} << 20U;

using Paths = std::unordered_set<std::string_view>;

struct InOrder {
  bool operator()(std::string_view a, std::string_view b) const { return blob::comes_before(a, b); }
};

// Python compares a source's time with the one in the bytecode that the package brings, and would
// compile it again at each start. Everything else has the fixed time.
std::int64_t time_of(const std::string& path, std::int64_t mtime_s) {
  return path.ends_with(".py") ? mtime_s : blob::kFixedTime;
}

// A package's files in the order of its archive, kept until they can be written in their own.
class SortingSink : public FileSink {
 public:
  SortingSink(const std::string& temporary_directory, const std::stop_token& stop)
      : contents_(kContentInMemory, temporary_directory), stop_(stop) {}

  Status directory(const std::string& path) override {
    items_[path].kind = io::TarKind::kDirectory;
    return {};
  }

  Status file(const File& file) override {
    if (stop_.stop_requested()) {
      return fail(ErrorKind::kCancelled, "stopped");
    }
    open_ = &items_[file.path];
    *open_ = {.kind = io::TarKind::kFile,
              .mode = file.mode,
              .size_bytes = file.size_bytes,
              .mtime_s = time_of(file.path, file.mtime_s),
              .at = contents_.size(),
              .text = {}};
    return {};
  }

  Status content(std::string_view piece) override { return contents_.append(piece); }

  Status file_end(const std::string& sha256) override {
    open_->text = sha256;
    return {};
  }

  Status symlink(const std::string& path, const std::string& target) override {
    items_[path] = {.kind = io::TarKind::kSymlink, .text = target};
    return {};
  }

  Status hardlink(const std::string& path, const std::string& existing) override {
    items_[path] = {.kind = io::TarKind::kHardlink, .text = existing};
    return {};
  }

  Status add(const std::string& path, std::string_view content) {
    const std::string sha256 = Digest::of(content).hex();
    TRY(file({path, 0644, content.size(), blob::kFixedTime}));
    TRY(this->content(content));
    return file_end(sha256);
  }

  // Everything but the lost paths, below `prefix`.
  Status write(const std::string& prefix, const Paths& lost, blob::SegmentWriter& segment) {
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

 private:
  struct Item {
    io::TarKind kind = io::TarKind::kFile;
    std::uint32_t mode = 0755;
    std::uint64_t size_bytes = 0;
    std::int64_t mtime_s = blob::kFixedTime;
    std::uint64_t at = 0;
    std::string text = {};  // a file's sha256, a link's target
  };

  // The path whose content this is: another one for hard links.
  static std::string_view content_of(const std::string& path, const Item& item) {
    return item.kind == io::TarKind::kHardlink ? std::string_view(item.text) : path;
  }

  // `first`: the name of this file that is written before its others.
  Status write(const std::string& prefix, const std::string& path, std::string_view first,
               const Item& item, blob::SegmentWriter& segment) {
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
    const Item& content =
        item.kind == io::TarKind::kHardlink ? items_.find(item.text)->second : item;
    TRY(segment.entry({.path = place,
                       .mode = content.mode,
                       .size_bytes = content.size_bytes,
                       .mtime_s = content.mtime_s},
                      content.text));
    return contents_.read_part(content.at, content.size_bytes,
                               [&](std::string_view piece) { return segment.content(piece); });
  }

  std::map<std::string, Item, InOrder> items_;
  io::SpillBuffer contents_;
  const std::stop_token& stop_;
  Item* open_ = nullptr;
};

// What a package lists, kept beside the segments so that a plan needs no archive: a letter for the
// kind, the path, a NUL.
constexpr std::string_view kTypeLetters = "hsdu";  // in the order of PathType

std::string print_paths(const std::vector<PlacedPath>& paths) {
  std::string text;
  for (const PlacedPath& placed : paths) {
    text += kTypeLetters[static_cast<std::size_t>(placed.entry.type)];
    text += placed.path;
    text += '\0';
  }
  return text;
}

bool parse_paths(std::string_view text, std::vector<PlacedPath>& paths) {
  while (!text.empty()) {
    const std::size_t end = text.find('\0');
    const std::size_t type = kTypeLetters.find(text[0]);
    if (end == std::string_view::npos || end < 2 || type == std::string_view::npos) {
      return false;
    }
    PlacedPath& placed = paths.emplace_back();
    placed.path = text.substr(1, end - 1);
    placed.entry.type = static_cast<PathType>(type);
    text.remove_prefix(end + 1);
  }
  return true;
}

std::string file_name(const conda::PackageRecord& record) { return printable(record.file_name); }

class Packing {
 public:
  Packing(const std::vector<conda::PackageRecord>& packages, const SegmentOptions& options,
          const FetchPackages& fetch, blob::SegmentStore& store, io::ThreadPool& pool,
          Progress& progress, const std::stop_token& stop)
      : packages_(packages),
        options_(options),
        fetch_(fetch),
        store_(store),
        pool_(pool),
        progress_(progress),
        stop_(stop),
        placement_(Placement::of(options.prefix, find_python(packages))),
        spill_(join_path(store.root(), "tmp")),
        members_(packages.size()) {}

  Result<PackageSegments> run() {
    TRY(check_packages());
    TRY(io::make_directories(spill_));
    TRY(find_paths());
    const PrefixPlan plan(planned());
    TRY(pool_.run(packages_.size(), [&](std::size_t i) { return find_segment(i, plan); }, stop_));
    TRY(make_missing());
    PackageSegments all;
    all.clobbers = plan.clobbers();
    for (std::size_t i = 0; i < packages_.size(); ++i) {
      const Member& member = members_[i];
      CHECK(member.found);
      all.segments.push_back(
          {.segment = member.segment, .key = member.key.inputs(), .made = member.made});
      add_scripts(i, all.scripts);
    }
    return all;
  }

 private:
  struct Member {
    bool known = false;  // the paths are
    std::vector<PlacedPath> paths;
    std::string archive;                  // "": not fetched
    std::unique_ptr<PackageFiles> files;  // while it is open
    std::vector<std::string> lost;        // paths that are another package's; sorted
    blob::SegmentKey key{"conda", blob::SegmentCompression::kZstd};
    bool found = false;  // the segment is there
    bool made = false;   // and was made now
    blob::Segment segment;
  };

  static const conda::PackageRecord* find_python(
      const std::vector<conda::PackageRecord>& packages) {
    const auto found = std::ranges::find(packages, "python", &conda::PackageRecord::name);
    return found == packages.end() ? nullptr : &*found;
  }

  Status check_packages() const {
    std::unordered_set<std::string_view> names;
    for (const conda::PackageRecord& one : packages_) {
      if (!names.insert(one.name).second) {
        return fail(ErrorKind::kInvalid, "the package {} is to be installed twice",
                    printable(one.name));
      }
      if (distribution_name(one).find('/') != std::string::npos) {
        return fail(ErrorKind::kInvalid, "'{}' is no package's name",
                    printable(distribution_name(one)));
      }
      if (one.sha256.empty() && one.md5.empty()) {
        return fail(ErrorKind::kUnsupported, "the package {} has neither sha256 nor md5",
                    file_name(one));
      }
    }
    return {};
  }

  // The package's bytes, and of noarch Python packages where they go.
  void add_identity(const conda::PackageRecord& record, blob::SegmentKey& key) const {
    key.add("package", record.sha256.empty() ? "md5:" + record.md5 : "sha256:" + record.sha256);
    if (record.noarch == conda::Noarch::kPython) {
      key.add("python", placement_.python_version);
      key.add("site_packages", placement_.site_packages);
    }
  }

  blob::SegmentKey paths_key(const conda::PackageRecord& record) const {
    blob::SegmentKey key("conda-paths", options_.compression);
    add_identity(record, key);
    return key;
  }

  // The conda-meta record says what the channel says of the package; so that belongs to the key.
  blob::SegmentKey segment_key(std::size_t i) const {
    const conda::PackageRecord& record = packages_[i];
    blob::SegmentKey key("conda", options_.compression);
    add_identity(record, key);
    const std::string meta = prefix_record({.record = record,
                                            .paths = {},
                                            .bytecode = {},
                                            .requested_specs = {},
                                            .prefix = options_.prefix});
    key.add("prefix", options_.prefix);
    key.add("record", Digest::of(meta).to_string());
    if (!members_[i].lost.empty()) {
      std::string list;
      for (const std::string& path : members_[i].lost) {
        list += path + '\0';
      }
      key.add("without", Digest::of(list).to_string());
    }
    return key;
  }

  Status find_paths() {
    std::vector<std::size_t> missing;
    TRY(pool_.run(
        packages_.size(),
        [&](std::size_t i) -> Status {
          if (const auto note = store_.find_note(paths_key(packages_[i]))) {
            members_[i].known = parse_paths(*note, members_[i].paths);
          }
          return {};
        },
        stop_));
    const bool complete = std::ranges::all_of(members_, &Member::known);
    for (std::size_t i = 0; i < packages_.size() && !complete; ++i) {
      if (!members_[i].known || !store_.find(segment_key(i))) {
        missing.push_back(i);
      }
    }
    TRY(fetch(missing));
    return pool_.run(
        missing.size(),
        [&](std::size_t at) -> Status {
          const std::size_t i = missing[at];
          TRY(open(i));
          members_[i].paths = members_[i].files->paths();
          return store_.put_note(paths_key(packages_[i]), print_paths(members_[i].paths));
        },
        stop_);
  }

  Status fetch(const std::vector<std::size_t>& wanted) {
    if (wanted.empty()) {
      return {};
    }
    std::vector<std::string> archives = TRY(fetch_(wanted));
    CHECK(archives.size() == wanted.size());
    for (std::size_t at = 0; at < wanted.size(); ++at) {
      members_[wanted[at]].archive = std::move(archives[at]);
    }
    return {};
  }

  Status open(std::size_t i) {
    const auto work = [&]() -> Status {
      PackageArchive archive = TRY(PackageArchive::open(members_[i].archive, spill_));
      members_[i].files = std::make_unique<PackageFiles>(
          TRY(PackageFiles::open(std::move(archive), packages_[i], placement_)));
      return {};
    };
    return work().context("in the package {}", file_name(packages_[i]));
  }

  std::vector<PrefixPlan::Package> planned() const {
    std::vector<PrefixPlan::Package> all;
    all.reserve(packages_.size());
    for (std::size_t i = 0; i < packages_.size(); ++i) {
      all.push_back({packages_[i].name, &members_[i].paths});
    }
    return all;
  }

  Status find_segment(std::size_t i, const PrefixPlan& plan) {
    Member& member = members_[i];
    for (const PlacedPath& placed : member.paths) {
      const bool kept = placed.entry.type == PathType::kDirectory ? plan.is_directory(placed.path)
                                                                  : plan.owns(i, placed.path);
      if (!kept) {
        member.lost.push_back(placed.path);
      } else if (plan.round(i) > 0) {
        TRY(check_way(i, placed.path, plan));
      }
    }
    std::ranges::sort(member.lost);
    member.key = segment_key(i);
    if (const std::optional<blob::Segment> found = store_.find(member.key)) {
      member.segment = *found;
      member.found = true;
    }
    return {};
  }

  // In a layer, a directory takes the place of a link that stands in another layer.
  Status check_way(std::size_t i, const std::string& path, const PrefixPlan& plan) const {
    for (std::string parent = parent_path(path); !parent.empty(); parent = parent_path(parent)) {
      const std::ptrdiff_t owner = plan.owner(parent);
      if (owner >= 0 && !plan.is_directory(parent)) {
        return fail(ErrorKind::kUnsupported, "{} of the package {} lies below {}, a link of {}",
                    printable(path), printable(packages_[i].name), printable(parent),
                    printable(packages_[static_cast<std::size_t>(owner)].name));
      }
    }
    return {};
  }

  Status make_missing() {
    std::vector<std::size_t> missing;
    std::vector<std::size_t> to_fetch;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < packages_.size(); ++i) {
      if (!members_[i].found) {
        missing.push_back(i);
        total += packages_[i].size_bytes;
        if (members_[i].archive.empty()) {
          to_fetch.push_back(i);
        }
      }
    }
    if (missing.empty()) {
      return {};
    }
    TRY(fetch(to_fetch));
    std::ranges::stable_sort(missing, std::greater(),
                             [&](std::size_t i) { return packages_[i].size_bytes; });
    progress_.begin(kActivity, total, Progress::Unit::kBytes);
    TRY(pool_.run(missing.size(), [&](std::size_t at) { return make(missing[at]); }, stop_));
    progress_.end(kActivity);
    return {};
  }

  Status make(std::size_t i) {
    Member& member = members_[i];
    Result<blob::SegmentStore::Found> found = store_.find_or_make(
        member.key, "making the segment of " + distribution_name(packages_[i]),
        [&] { return pack(i); }, stop_, progress_);
    member.files.reset();
    if (!found) {
      return std::move(found).context("in the package {}", file_name(packages_[i])).error();
    }
    member.segment = found->segment;
    member.found = true;
    member.made = found->made;
    progress_.advance(kActivity, packages_[i].size_bytes, packages_[i].name);
    return {};
  }

  Result<blob::Segment> pack(std::size_t i) {
    Member& member = members_[i];
    if (!member.files) {
      TRY(open(i));
    }
    blob::SegmentWriter segment =
        TRY(blob::SegmentWriter::create(store_.blobs(), options_.compression, pool_));
    SortingSink sink(spill_, stop_);
    TRY(member.files->deliver(sink));
    const std::string record = prefix_record({.record = packages_[i],
                                              .paths = member.files->paths(),
                                              .bytecode = {},
                                              .requested_specs = {},
                                              .prefix = options_.prefix});
    TRY(sink.add("conda-meta/" + distribution_name(packages_[i]) + ".json", record));
    const Paths lost(member.lost.begin(), member.lost.end());
    TRY(sink.write(options_.prefix.substr(1), lost, segment));
    return std::move(segment).finish();
  }

  void add_scripts(std::size_t i, std::vector<LinkScript>& scripts) const {
    for (const std::string action : {"pre-link", "post-link", "pre-unlink"}) {
      std::string path = fmt::format("bin/.{}-{}.sh", packages_[i].name, action);
      if (std::ranges::find(members_[i].paths, path, &PlacedPath::path) !=
          members_[i].paths.end()) {
        scripts.push_back({packages_[i].name, action, std::move(path)});
      }
    }
  }

  const std::vector<conda::PackageRecord>& packages_;
  const SegmentOptions& options_;
  const FetchPackages& fetch_;
  blob::SegmentStore& store_;
  io::ThreadPool& pool_;
  Progress& progress_;
  const std::stop_token& stop_;
  Placement placement_;
  std::string spill_;
  std::vector<Member> members_;
};

}  // namespace

Result<PackageSegments> package_segments(const std::vector<conda::PackageRecord>& packages,
                                         const SegmentOptions& options, const FetchPackages& fetch,
                                         blob::SegmentStore& store, io::ThreadPool& pool,
                                         Progress& progress, const std::stop_token& stop) {
  if (!options.prefix.starts_with('/') || normal_path(options.prefix) != options.prefix) {
    return fail(ErrorKind::kInvalid, "the prefix '{}' is no plain absolute path",
                printable(options.prefix));
  }
  return Packing(packages, options, fetch, store, pool, progress, stop).run();
}

}  // namespace cloche::source
