#include "source/conda/package_segment.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
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
#include "source/conda/prefix_record.h"
#include "source/conda/python_sources.h"
#include "source/conda/sorted_files.h"

namespace cloche::source {
namespace {

constexpr std::string_view kActivity = "packing";
constexpr std::uint64_t kMaxExpected = std::uint64_t{1} << 40U;
constexpr const char* kPathsNote = "conda-paths";
constexpr const char* kLinksNote = "conda-links";
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

// The symbolic links of a package, as pairs of texts that end with NULs.
std::string print_links(const SymbolicLinks& links) {
  std::string text;
  for (const auto& [path, target] : links) {
    text.append(path) += '\0';
    text.append(target) += '\0';
  }
  return text;
}

std::optional<SymbolicLinks> parse_links(std::string_view text) {
  SymbolicLinks links;
  while (!text.empty()) {
    const std::size_t middle = text.find('\0');
    const std::size_t end = middle == std::string_view::npos ? middle : text.find('\0', middle + 1);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    links.emplace(text.substr(0, middle), text.substr(middle + 1, end - middle - 1));
    text.remove_prefix(end + 1);
  }
  return links;
}

// "openssl" for "openssl >=3.0,<4.0a0", as channels write dependencies.
std::string_view name_in(std::string_view spec) {
  return spec.substr(0, spec.find_first_of(" =<>!~[(,;"));
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
    TRY(follow_links());
    const PrefixPlan plan(planned());
    const std::string interpreter = options_.compile ? interpreter_identity() : std::string();
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

  static std::string identity(const conda::PackageRecord& record) {
    return record.sha256.empty() ? "md5:" + record.md5 : "sha256:" + record.sha256;
  }

  // The package's bytes, and of noarch Python packages where they go.
  void add_identity(const conda::PackageRecord& record, blob::SegmentKey& key) const {
    key.add("package", identity(record));
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

  // Files that are named through another package's symbolic link go where it leads, as they do when
  // packages are written one after another. Then they may meet files of others, and so on.
  Status follow_links() {
    constexpr int kMaxRounds = 8;
    const std::vector<std::vector<PlacedPath>> original = all_paths();
    for (int round = 0; round < kMaxRounds; ++round) {
      const PrefixPlan plan(planned());
      std::map<std::size_t, SymbolicLinks> links;
      LinkResolver resolver(plan, [&](std::size_t i) -> Result<const SymbolicLinks*> {
        if (!links.contains(i)) {
          links.emplace(i, TRY(links_of(i)));
        }
        return &links[i];
      });
      bool moved = false;
      for (std::size_t i = 0; i < packages_.size(); ++i) {
        if (plan.round(i) > 0) {
          TRY(move_paths(i, original[i], resolver)
                  .context("in the package {}", file_name(packages_[i])));
          moved = true;
        }
      }
      if (!moved) {
        return {};
      }
    }
    return fail(ErrorKind::kUnsupported, "packages lie below each other's links without an end");
  }

  std::vector<std::vector<PlacedPath>> all_paths() const {
    std::vector<std::vector<PlacedPath>> all;
    all.reserve(members_.size());
    for (const Member& member : members_) {
      all.push_back(member.paths);
    }
    return all;
  }

  Status move_paths(std::size_t i, const std::vector<PlacedPath>& original,
                    LinkResolver& resolver) {
    Member& member = members_[i];
    member.ways = TRY(resolver.ways(original));
    member.paths = original;
    std::unordered_set<std::string_view> files;
    for (PlacedPath& placed : member.paths) {
      const bool directory = placed.entry.type == PathType::kDirectory;
      placed.path = directory ? member.ways.directory(placed.path) : member.ways.path(placed.path);
      if (!directory && !files.insert(placed.path).second) {
        return fail(ErrorKind::kInvalid, "two of its files would become {}",
                    printable(placed.path));
      }
    }
    return {};
  }

  Result<SymbolicLinks> links_of(std::size_t i) {
    const blob::SegmentKey key = note_key(kLinksNote, packages_[i]);
    const std::optional<std::string> note = store_.find_note(key);
    std::optional<SymbolicLinks> links = note ? parse_links(*note) : std::nullopt;
    if (!links) {
      links = TRY(read_links(i).context("in the package {}", file_name(packages_[i])));
      TRY(store_.put_note(key, print_links(*links)));
    }
    SymbolicLinks out;
    for (auto& [path, target] : *links) {
      out.emplace(members_[i].ways.path(path), std::move(target));
    }
    return out;
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
      add_sources(i, plan);
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

  // The sources below site-packages of a noarch Python package, as in an installation (conda:
  // conda/core/path_actions.py, CompileMultiPycAction). Where another package brings the bytecode,
  // that one is taken.
  void add_sources(std::size_t i, const PrefixPlan& plan) {
    Member& member = members_[i];
    if (packages_[i].noarch != conda::Noarch::kPython) {
      return;
    }
    std::string tag = "cpython-" + placement_.python_version;
    std::erase(tag, '.');
    for (const PlacedPath& placed : member.paths) {
      if (placed.path.ends_with(".py") && placed.kind == PlacedPath::Kind::kPath &&
          placed.entry.type != PathType::kSoftlink && placed.entry.type != PathType::kDirectory &&
          plan.owns(i, placed.path) && placed.path.starts_with(placement_.site_packages + "/") &&
          plan.owner(bytecode_path(placed.path, tag)) < 0) {
        member.sources.push_back(placed.path);
      }
    }
    std::ranges::sort(member.sources);
  }

  // What decides bytecode besides the source: the packages that the interpreter and its standard
  // library come from. A minor version is not enough, since compilers are mended too.
  std::string interpreter_identity() const {
    const std::string library = "lib/python" + placement_.python_version + "/";
    std::string list;
    for (const std::size_t i : interpreter_packages()) {
      const bool counts = std::ranges::any_of(members_[i].paths, [&](const PlacedPath& placed) {
        const std::string_view path = placed.path;
        return path.starts_with("bin/python") || path.starts_with("lib/libpython") ||
               (path.starts_with(library) &&
                !path.substr(library.size()).starts_with("site-packages/"));
      });
      if (counts) {
        list += identity(packages_[i]) + "\n";
      }
    }
    return list.empty() ? "" : Digest::of(list).to_string();
  }

  // python and what it depends on, in the order of the packages; without noarch Python packages,
  // which an interpreter does not need (pip is one, in a circle with it).
  std::vector<std::size_t> interpreter_packages() const {
    std::map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < packages_.size(); ++i) {
      if (packages_[i].noarch != conda::Noarch::kPython) {
        places.emplace(packages_[i].name, i);
      }
    }
    std::set<std::size_t> found;
    std::vector<std::string> open = {"python"};
    while (!open.empty()) {
      const auto place = places.find(open.back());
      open.pop_back();
      if (place == places.end() || !found.insert(place->second).second) {
        continue;
      }
      for (const std::string& spec : packages_[place->second].depends) {
        open.emplace_back(name_in(spec));
      }
    }
    return {found.begin(), found.end()};
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
    for (const std::size_t i : interpreter_packages()) {
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
    SortedFiles sink(spill_, member.ways, stop_);
    sink.expect(content_bytes(*member.files));
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
