#include "source/debian/deb_segment.h"

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "core/files.h"
#include "core/text.h"
#include "io/file.h"
#include "package/debian/paragraph.h"
#include "source/debian/deb_overlaps.h"
#include "source/debian/unpacked_deb.h"

namespace cloche::source {
namespace {

constexpr std::string_view kActivity = "packing";
constexpr int kDebFormat = 1;  // of what is made of a package; a change is a new number

std::string title(const DebFile& file) {
  return printable(file.name) + " " + printable(file.version);
}

class Packing {
 public:
  Packing(std::span<const DebFile> packages, const DebSegmentOptions& options,
          const FetchDebs& fetch, blob::SegmentStore& store, io::ThreadPool& pool,
          Progress& progress, const std::stop_token& stop)
      : packages_(packages),
        options_(options),
        fetch_(fetch),
        store_(store),
        pool_(pool),
        progress_(progress),
        stop_(stop),
        spill_(join_path(store.root(), "tmp")),
        members_(packages.size()) {}

  Result<std::vector<DebSegment>> run() {
    TRY(check_packages());
    TRY(io::make_directories(spill_));
    TRY(pool_.run(packages_.size(), [&](std::size_t i) { return find(i); }, stop_));
    TRY(make_missing());
    TRY(take_paths_away());
    std::vector<DebSegment> out;
    out.reserve(members_.size());
    for (Member& member : members_) {
      out.push_back(std::move(member.result));
    }
    return out;
  }

 private:
  struct Member {
    bool known = false;  // the contents are
    bool found = false;  // the segment is
    std::string archive;
    debian::PackageRecord record;
    DebSegment result;
  };

  Status check_packages() const {
    std::unordered_set<std::string_view> names;
    for (const DebFile& one : packages_) {
      if (!names.insert(one.name).second) {
        return fail(ErrorKind::kInvalid, "the package {} is to be installed twice",
                    printable(one.name));
      }
      TRY(Digest::parse("sha256:" + one.sha256).context("of the package {}", title(one)));
    }
    return {};
  }

  blob::SegmentKey contents_key(std::size_t i) const {
    blob::SegmentKey key("deb-contents", options_.compression);
    return std::move(key.add("package", "sha256:" + packages_[i].sha256)
                         .add("deb_format", std::to_string(kDebFormat)));
  }

  blob::SegmentKey segment_key(std::size_t i) const {
    blob::SegmentKey key("deb", options_.compression);
    key.add("package", "sha256:" + packages_[i].sha256);
    key.add("deb_format", std::to_string(kDebFormat));
    std::string aliases;
    for (const DirectoryAlias& one : options_.aliases) {
      aliases += fmt::format("{}={}\n", one.path, one.target);
    }
    key.add("aliases", aliases);
    if (const auto& lost = members_[i].result.lost; !lost.empty()) {
      std::string list;
      for (const std::string& path : lost) {
        list += path + '\0';
      }
      key.add("without", Digest::of(list).to_string());
    }
    return key;
  }

  Status set_contents(std::size_t i, DebContents contents) {
    Member& member = members_[i];
    debian::Paragraph paragraph;
    debian::ParagraphReader reader(contents.control, "control");
    if (!TRY(reader.next(paragraph))) {
      return fail(ErrorKind::kCorrupt, "what is known of {} is damaged", title(packages_[i]));
    }
    member.record = TRY(debian::read_record(paragraph));
    const DebFile& file = packages_[i];
    if (member.record.name != file.name || member.record.version != file.version ||
        member.record.architecture != file.architecture) {
      return fail(ErrorKind::kInvalid, "it is {} {} ({}), not {} ({})",
                  printable(member.record.name), printable(member.record.version),
                  printable(member.record.architecture), title(file), printable(file.architecture))
          .with_hint("lock the environment again: the archive has other files under these names");
    }
    member.result.contents = std::move(contents);
    member.known = true;
    return {};
  }

  Status find(std::size_t i) {
    Member& member = members_[i];
    const auto note = store_.find_note(contents_key(i));
    if (!note) {
      return {};
    }
    auto contents = parse_contents(*note);
    if (!contents) {
      return {};
    }
    TRY(set_contents(i, std::move(*contents)).context("in the package {}", title(packages_[i])));
    const blob::SegmentKey key = segment_key(i);
    if (auto segment = store_.find(key)) {
      member.result.segment = *segment;
      member.result.key = key.inputs();
      member.found = true;
    }
    return {};
  }

  // Packages in `places`: their archives, then `work` for each, the largest first.
  Status with_archives(std::vector<std::size_t> places,
                       const std::function<Status(std::size_t)>& work) {
    if (places.empty()) {
      return {};
    }
    std::vector<std::size_t> wanted;
    std::ranges::copy_if(places, std::back_inserter(wanted),
                         [&](std::size_t i) { return members_[i].archive.empty(); });
    if (!wanted.empty()) {
      std::vector<std::string> paths = TRY(fetch_(wanted));
      CHECK(paths.size() == wanted.size());
      for (std::size_t at = 0; at < wanted.size(); ++at) {
        members_[wanted[at]].archive = std::move(paths[at]);
      }
    }
    std::vector<std::pair<std::uint64_t, std::size_t>> sizes;
    for (const std::size_t i : places) {
      const io::Descriptor file = TRY(io::open_for_reading(members_[i].archive));
      sizes.emplace_back(TRY(io::file_size(file, members_[i].archive)), i);
    }
    std::ranges::sort(sizes, std::greater());
    progress_.begin(kActivity, sizes.size(), Progress::Unit::kItems);
    Status done = pool_.run(
        sizes.size(),
        [&](std::size_t at) {
          const std::size_t i = sizes[at].second;
          Status one = work(i).context("in the package {}", title(packages_[i]));
          progress_.advance(kActivity, 1, packages_[i].name);
          return one;
        },
        stop_);
    progress_.end(kActivity);
    return done;
  }

  Status make_missing() {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (!members_[i].known || !members_[i].found) {
        places.push_back(i);
      }
    }
    return with_archives(std::move(places), [&](std::size_t i) { return make(i); });
  }

  Status make(std::size_t i) {
    const blob::SegmentKey key = segment_key(i);
    std::optional<DebContents> contents;
    const auto make_it = [&]() -> Result<blob::Segment> {
      const DebArchive archive = TRY(DebArchive::open(members_[i].archive, packages_[i].sha256));
      UnpackedDeb deb = TRY(UnpackedDeb::read(archive, spill_, stop_));
      const auto& lost = members_[i].result.lost;
      auto writer = TRY(blob::SegmentWriter::create(store_.blobs(), options_.compression, pool_));
      TRY(deb.write(options_.aliases, {lost.begin(), lost.end()}, writer));
      contents = deb.contents();
      TRY(store_.put_note(contents_key(i), print_contents(*contents)));
      return std::move(writer).finish();
    };
    const auto found = TRY(store_.find_or_make(
        key, "making the segment of " + printable(packages_[i].name), make_it, stop_, progress_));
    Member& member = members_[i];
    member.result.segment = found.segment;
    member.result.key = key.inputs();
    member.result.made = member.result.made || found.made;
    member.found = true;
    return member.known ? Status() : learn(i, std::move(contents));
  }

  // What a package holds where another process made its segment, or its note was lost.
  Status learn(std::size_t i, std::optional<DebContents> contents) {
    if (!contents) {
      if (const auto note = store_.find_note(contents_key(i))) {
        contents = parse_contents(*note);
      }
    }
    if (!contents) {
      const DebArchive archive = TRY(DebArchive::open(members_[i].archive, packages_[i].sha256));
      contents = TRY(UnpackedDeb::read(archive, spill_, stop_)).contents();
      TRY(store_.put_note(contents_key(i), print_contents(*contents)));
    }
    return set_contents(i, std::move(*contents));
  }

  // Segments of packages that lose a path are made again without it: that is rare.
  Status take_paths_away() {
    std::vector<NamedContents> all;
    all.reserve(members_.size());
    for (const Member& member : members_) {
      all.push_back({member.record, &member.result.contents});
    }
    const auto lost = TRY(lost_paths(all, options_.aliases));
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (lost[i].empty()) {
        continue;
      }
      members_[i].result.lost = lost[i];
      const blob::SegmentKey key = segment_key(i);
      if (auto segment = store_.find(key)) {
        members_[i].result.segment = *segment;
        members_[i].result.key = key.inputs();
      } else {
        places.push_back(i);
      }
    }
    return with_archives(std::move(places), [&](std::size_t i) { return make(i); });
  }

  std::span<const DebFile> packages_;
  const DebSegmentOptions& options_;
  const FetchDebs& fetch_;
  blob::SegmentStore& store_;
  io::ThreadPool& pool_;
  Progress& progress_;
  const std::stop_token& stop_;
  std::string spill_;
  std::vector<Member> members_;
};

constexpr std::array<std::string_view, 7> kMergedDirectories = {
    "bin", "lib", "lib32", "lib64", "libo32", "libx32", "sbin"};

}  // namespace

std::span<const std::string_view> merged_directories() { return kMergedDirectories; }

std::vector<DirectoryAlias> merged_usr(std::span<const std::string> directories) {
  std::vector<DirectoryAlias> out;
  for (const std::string_view one : kMergedDirectories) {
    if (std::ranges::find(directories, one) != directories.end()) {
      out.push_back({std::string(one), "usr/" + std::string(one)});
    }
  }
  return out;
}

std::string aliased_path(std::span<const DirectoryAlias> aliases, std::string_view path) {
  const DirectoryAlias* best = nullptr;
  for (const DirectoryAlias& one : aliases) {
    const bool within = path.starts_with(one.path) &&
                        (path.size() == one.path.size() || path[one.path.size()] == '/');
    if (within && (best == nullptr || one.path.size() > best->path.size())) {
      best = &one;
    }
  }
  return best == nullptr ? std::string(path)
                         : best->target + std::string(path.substr(best->path.size()));
}

Result<std::vector<DebSegment>> deb_segments(std::span<const DebFile> packages,
                                             const DebSegmentOptions& options,
                                             const FetchDebs& fetch, blob::SegmentStore& store,
                                             io::ThreadPool& pool, Progress& progress,
                                             const std::stop_token& stop) {
  return Packing(packages, options, fetch, store, pool, progress, stop).run();
}

}  // namespace cloche::source
