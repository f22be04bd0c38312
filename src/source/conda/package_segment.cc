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
#include "io/temporary.h"
#include "source/conda/link_ways.h"
#include "source/conda/package_archive.h"
#include "source/conda/package_files.h"
#include "source/conda/package_interpreter.h"
#include "source/conda/package_notes.h"
#include "source/conda/prefix_record.h"
#include "source/conda/python_sources.h"
#include "source/conda/sorted_files.h"

namespace cloche::source {
namespace {

constexpr std::string_view kActivity = "packing";
constexpr std::uint64_t kMaxExpected = std::uint64_t{1} << 40U;
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
    TRY(follow_links());
    const PrefixPlan plan(planned());
    const std::string interpreter =
        options_.compile
            ? interpreter_identity(packages_, placement_,
                                   [&](std::size_t i) -> const auto& { return members_[i].paths; })
            : std::string();
    TRY(pool_.run(
        packages_.size(), [&](std::size_t i) { return find_segment(i, plan, interpreter); },
        stop_));
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
    bool known = false;                   // the paths are
    std::vector<PlacedPath> paths;        // without what deliver() fills
    std::string archive;                  // "": not fetched
    std::unique_ptr<PackageFiles> files;  // while it is open
    std::vector<std::string> sources;     // that get bytecode; sorted
    std::string tree;                     // where it was compiled
    LinkWays ways;                        // `paths` are where they lead
    std::vector<std::string> lost;        // of `paths`: those that are another package's; sorted
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
    key.add("package", archive_identity(record));
    if (record.noarch == conda::Noarch::kPython) {
      key.add("python", placement_.python_version);
      key.add("site_packages", placement_.site_packages);
    }
  }

  // `kind`: "conda-paths", "conda-links".
  blob::SegmentKey note_key(const char* kind, const conda::PackageRecord& record) const {
    blob::SegmentKey key(kind, options_.compression);
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
    if (!members_[i].ways.empty()) {
      key.add("ways", Digest::of(members_[i].ways.text()).to_string());
    }
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
          if (const auto note = store_.find_note(note_key(kPathsNote, packages_[i]))) {
            auto paths = parse_paths(*note);
            members_[i].known = paths.has_value();
            members_[i].paths = std::move(paths).value_or(std::vector<PlacedPath>());
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
          return store_.put_note(note_key(kPathsNote, packages_[i]),
                                 print_paths(members_[i].paths));
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

  // Files that are named through another package's symbolic link go where it leads.
  Status follow_links() {
    std::vector<LinkedPackage> all;
    all.reserve(packages_.size());
    for (std::size_t i = 0; i < packages_.size(); ++i) {
      all.push_back({packages_[i].name, file_name(packages_[i]), std::move(members_[i].paths), {}});
    }
    TRY(source::follow_links(all, [this](std::size_t i) { return links_of(i); }));
    for (std::size_t i = 0; i < packages_.size(); ++i) {
      members_[i].paths = std::move(all[i].paths);
      members_[i].ways = std::move(all[i].ways);
    }
    return {};
  }

  // By the package's own names.
  Result<SymbolicLinks> links_of(std::size_t i) {
    const blob::SegmentKey key = note_key(kLinksNote, packages_[i]);
    const std::optional<std::string> note = store_.find_note(key);
    std::optional<SymbolicLinks> links = note ? parse_links(*note) : std::nullopt;
    if (!links) {
      links = TRY(read_links(i).context("in the package {}", file_name(packages_[i])));
      TRY(store_.put_note(key, print_links(*links)));
    }
    return std::move(*links);
  }

  Result<SymbolicLinks> read_links(std::size_t i) {
    Member& member = members_[i];
    if (member.archive.empty()) {
      TRY(fetch({i}));
    }
    if (!member.files) {
      TRY(open(i));
    }
    return member.files->symbolic_links();
  }

  Status find_segment(std::size_t i, const PrefixPlan& plan, const std::string& interpreter) {
    Member& member = members_[i];
    if (!interpreter.empty()) {
      member.sources = compiled_sources(packages_[i], member.paths, i, plan, placement_);
    }
    for (const PlacedPath& placed : member.paths) {
      const bool kept = placed.entry.type == PathType::kDirectory ? plan.is_directory(placed.path)
                                                                  : plan.owns(i, placed.path);
      if (!kept) {
        member.lost.push_back(placed.path);
      }
    }
    std::ranges::sort(member.lost);
    member.key = segment_key(i);
    if (!member.sources.empty()) {
      member.key.add("bytecode", "checked-hash").add("interpreter", interpreter);
    }
    if (const std::optional<blob::Segment> found = store_.find(member.key)) {
      member.segment = *found;
      member.found = true;
    }
    return {};
  }

  // Writes the sources of these packages out and has them compiled.
  Status compile(std::span<const std::size_t> wanted) {
    const auto work =
        std::make_shared<io::TemporaryDirectory>(TRY(io::TemporaryDirectory::create(spill_)));
    BytecodeBatch batch{.directory = work->path(),
                        .packages = wanted.size(),
                        .prefix = options_.prefix,
                        .interpreter = "bin/python" + placement_.python_version,
                        .runtime = {}};
    for (const std::size_t i : interpreter_packages(packages_)) {
      batch.runtime.push_back(members_[i].segment);
    }
    TRY(pool_.run(
        wanted.size(), [&](std::size_t at) { return write_sources(wanted[at], at, *work); },
        stop_));
    bytecode_tag_ = TRY(options_.compile(batch));
    compiled_ = work;
    return {};
  }

  Status write_sources(std::size_t i, std::size_t number, const io::TemporaryDirectory& work) {
    Member& member = members_[i];
    member.tree = join_path(work.path(), std::to_string(number));
    TRY(io::make_directories(member.tree));
    if (!member.files) {
      TRY(open(i));
    }
    PythonSources sources =
        TRY(PythonSources::create(member.tree, member.sources, member.ways, stop_));
    TRY(member.files->deliver(sources).context("in the package {}", file_name(packages_[i])));
    std::string list;
    for (const std::string& path : sources.paths()) {
      list.append(path) += '\0';
    }
    return io::write_file_atomically(member.tree + ".list", list);
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
    // Those with sources to compile come last: the interpreter is made of the others.
    const auto compiled = std::ranges::stable_partition(
        missing, [&](std::size_t i) { return members_[i].sources.empty(); });
    progress_.begin(kActivity, total, Progress::Unit::kBytes);
    TRY(make({missing.begin(), compiled.begin()}));
    if (!compiled.empty()) {
      TRY(compile({compiled.begin(), compiled.end()}));
      TRY(make({compiled.begin(), compiled.end()}));
    }
    progress_.end(kActivity);
    return {};
  }

  Status make(std::span<const std::size_t> some) {
    return pool_.run(some.size(), [&](std::size_t at) { return make(some[at]); }, stop_);
  }

  Status make(std::size_t i) {
    Member& member = members_[i];
    PackingShare share(progress_, kActivity, packages_[i].name, packages_[i].size_bytes);
    Result<blob::SegmentStore::Found> found = store_.find_or_make(
        member.key, "making the segment of " + distribution_name(packages_[i]),
        [&] { return pack(i, share); }, stop_, progress_);
    member.files.reset();
    if (!found) {
      return std::move(found).context("in the package {}", file_name(packages_[i])).error();
    }
    member.segment = found->segment;
    member.found = true;
    member.made = found->made;
    share.finish();
    return {};
  }

  Result<blob::Segment> pack(std::size_t i, PackingShare& share) {
    Member& member = members_[i];
    if (!member.files) {
      TRY(open(i));
    }
    blob::SegmentWriter segment =
        TRY(blob::SegmentWriter::create(store_.blobs(), options_.compression, pool_));
    SortedFiles sink(spill_, member.ways, share, stop_);
    const std::uint64_t expected = content_bytes(*member.files);
    sink.expect(expected);
    share.expect(expected);
    TRY(member.files->deliver(sink));
    std::vector<std::string> bytecode;
    for (const auto& [path, content] :
         TRY(read_bytecode(member.tree, member.sources, bytecode_tag_))) {
      TRY(sink.add(path, content));
      bytecode.push_back(path);
    }
    const std::string record = prefix_record({.record = packages_[i],
                                              .paths = member.files->paths(),
                                              .bytecode = bytecode,
                                              .requested_specs = {},
                                              .prefix = options_.prefix});
    TRY(sink.add("conda-meta/" + distribution_name(packages_[i]) + ".json", record));
    const SortedFiles::Paths lost(member.lost.begin(), member.lost.end());
    TRY(sink.write(options_.prefix.substr(1), lost, segment));
    return std::move(segment).finish();
  }

  // As the package says; with some room for its record and for longer prefixes.
  static std::uint64_t content_bytes(const PackageFiles& files) {
    constexpr std::uint64_t kRoomForEach = 512;
    std::uint64_t total = 0;
    for (const PlacedPath& placed : files.paths()) {
      const std::uint64_t size = placed.entry.size_bytes.value_or(0);
      if (size > kMaxExpected) {
        return 0;  // not to be believed, or too much
      }
      total += size + kRoomForEach;
    }
    return total;
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
  std::shared_ptr<io::TemporaryDirectory> compiled_;  // the members' trees
  std::string bytecode_tag_;
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
