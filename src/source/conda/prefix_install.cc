#include "source/conda/prefix_install.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <unordered_set>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "core/files.h"
#include "core/text.h"
#include "io/directory_tree.h"
#include "io/file.h"
#include "io/system.h"
#include "io/system_error.h"
#include "io/temporary.h"
#include "source/conda/bytecode.h"
#include "source/conda/package_files.h"
#include "source/conda/prefix_record.h"

namespace cloche::source {
namespace {

constexpr std::string_view kActivity = "installing";
constexpr std::string_view kHistory = "conda-meta/history";
constexpr std::string_view kToolLine = "# cloche version: ";

// What the sinks of several packages share.
struct Shared {
  const io::DirectoryTree& tree;
  const PrefixPlan& plan;
  const std::stop_token& stop;
  std::atomic<std::uint64_t> files = 0;
  std::atomic<std::uint64_t> bytes = 0;

  // Of rounds after the first, whose packages come one by one: where files written through a link
  // really lie, and whose they are; and those that met another's, with winner and loser.
  std::map<std::string, std::size_t> through;
  std::map<std::string, std::pair<std::size_t, std::size_t>> met;
};

// One package's files, written where the plan lets them.
class DiskSink : public FileSink {
 public:
  DiskSink(Shared& shared, std::size_t package) : shared_(shared), package_(package) {}

  // Directories are made for what lies in them: a package may lose all of its files in one.
  Status directory(const std::string& path) override {
    return shared_.plan.is_directory(path) ? make_directory(path) : Status();
  }

  Status file(const File& file) override {
    if (shared_.stop.stop_requested()) {
      return fail(ErrorKind::kCancelled, "stopped");
    }
    path_ = file.path;
    mtime_s_ = file.mtime_s;
    if (!TRY(make_way(file.path))) {
      return {};
    }
    Result<io::Descriptor> made = shared_.tree.create_file(file.path, file.mode);
    if (!made && made.error().kind == ErrorKind::kConflict) {
      if (!TRY(win(file.path))) {
        return {};
      }
      made = shared_.tree.create_file(file.path, file.mode);
    }
    if (!made) {
      return std::move(made.error());
    }
    file_ = std::move(*made);
    TRY(note_link(file.path));
    ++shared_.files;
    shared_.bytes += file.size_bytes;
    return {};
  }

  Status content(std::string_view piece) override {
    return file_.valid() ? io::write_all(file_, piece, path_) : Status();
  }

  Status file_end(const std::string& /*sha256*/) override {
    if (file_.valid()) {
      TRY(io::set_mtime(file_, mtime_s_, path_));
      file_.close();
    }
    return {};
  }

  Status symlink(const std::string& path, const std::string& target) override {
    return link(path, [&] { return shared_.tree.make_symlink(path, target); });
  }

  Status hardlink(const std::string& path, const std::string& existing) override {
    if (!shared_.plan.owns(package_, path)) {
      return {};
    }
    if (!shared_.plan.owns(package_, existing)) {
      return fail(ErrorKind::kUnsupported,
                  "{} is a hard link to {}, which another package's file takes the place of",
                  printable(path), printable(existing));
    }
    return link(path, [&] { return shared_.tree.make_hardlink(path, existing); });
  }

 private:
  template <class Make>
  Status link(const std::string& path, const Make& make) {
    if (!TRY(make_way(path))) {
      return {};
    }
    Status made = make();
    if (!made && made.error().kind == ErrorKind::kConflict) {
      if (!TRY(win(path))) {
        return {};
      }
      made = make();
    }
    if (made) {
      TRY(note_link(path));
      ++shared_.files;
    }
    return made;
  }

  // Whether this package may write there; makes the directories above it.
  Result<bool> make_way(const std::string& path) {
    if (!shared_.plan.owns(package_, path)) {
      return false;
    }
    TRY(make_directory(parent_path(path)));
    return true;
  }

  Status make_directory(const std::string& path) {
    if (path.empty() || !directories_.insert(path).second) {
      return {};
    }
    TRY(make_directory(parent_path(path)));
    return shared_.tree.make_directory(path);
  }

  // Something has that name, which the plan did not foresee: another package's file that is this
  // one only through a link. The later package wins, as everywhere.
  Result<bool> win(const std::string& path) {
    const std::string real = TRY(shared_.tree.real_path(path));
    const auto written = shared_.through.find(real);
    const std::ptrdiff_t owner = written != shared_.through.end()
                                     ? static_cast<std::ptrdiff_t>(written->second)
                                     : shared_.plan.owner(real);
    if (owner < 0 || owner == static_cast<std::ptrdiff_t>(package_)) {
      return fail(ErrorKind::kConflict, "{} is there already", printable(path));
    }
    const auto other = static_cast<std::size_t>(owner);
    const bool won = package_ > other;
    shared_.met[real] = won ? std::pair(package_, other) : std::pair(other, package_);
    if (won) {
      TRY(shared_.tree.remove(path));
    }
    return won;
  }

  Status note_link(const std::string& path) {
    if (shared_.plan.round(package_) > 0) {
      std::string real = TRY(shared_.tree.real_path(path));
      if (real != path || shared_.through.contains(real)) {
        shared_.through[std::move(real)] = package_;
      }
    }
    return {};
  }

  Shared& shared_;
  std::size_t package_;
  std::string path_;
  std::int64_t mtime_s_ = 0;
  io::Descriptor file_;  // none: another package's file is there
  std::unordered_set<std::string> directories_;
};

const conda::PackageRecord* find_python(const std::vector<InstallPackage>& packages) {
  const auto found = std::ranges::find_if(
      packages, [](const InstallPackage& one) { return one.record.name == "python"; });
  return found == packages.end() ? nullptr : &found->record;
}

Status check_names(const std::vector<InstallPackage>& packages) {
  std::unordered_set<std::string_view> names;
  for (const InstallPackage& one : packages) {
    if (!names.insert(one.record.name).second) {
      return fail(ErrorKind::kInvalid, "the package {} is to be installed twice",
                  printable(one.record.name));
    }
    TRY(package_path(distribution_name(one.record)));  // it names the record's file
    if (distribution_name(one.record).find('/') != std::string::npos) {
      return fail(ErrorKind::kInvalid, "'{}' is no package's name",
                  printable(distribution_name(one.record)));
    }
  }
  return {};
}

enum class Standing { kNothing, kEmpty, kOurs };

// What stands where the prefix is to be.
Result<Standing> look_at(const std::string& prefix) {
  struct stat info{};
  if (::lstat(prefix.c_str(), &info) != 0) {
    if (errno == ENOENT) {
      return Standing::kNothing;
    }
    return io::system_error(errno, "look at", prefix);
  }
  std::error_code ignored;
  if (S_ISDIR(info.st_mode) && std::filesystem::is_empty(prefix, ignored)) {
    return Standing::kEmpty;
  }
  constexpr std::size_t kEnough = std::size_t{64} * 1024;
  if (S_ISDIR(info.st_mode)) {
    Result<io::FileReader> history = io::FileReader::open(join_path(prefix, kHistory));
    std::string start(kEnough, '\0');
    const Result<std::size_t> count =
        history ? io::read_full(*history, start) : Result<std::size_t>(0);
    if (count && start.find(kToolLine) != std::string::npos) {
      return Standing::kOurs;
    }
  }
  return fail(ErrorKind::kConflict, "{} is there already", printable(prefix))
      .with_hint("name a directory that does not exist, or remove it first");
}

class Installation {
 public:
  Installation(const std::vector<InstallPackage>& packages, const InstallOptions& options,
               io::ThreadPool& pool, Progress& progress, const std::stop_token& stop)
      : packages_(packages), options_(options), pool_(pool), progress_(progress), stop_(stop) {}

  // Everything below `root`, an empty directory. `spill` is one for temporary files.
  Result<InstallReport> write(const std::string& root, const std::string& spill,
                              const std::string& prefix_in_files) {
    prefix_ = prefix_in_files;
    TRY(open_packages(spill));
    std::uint64_t total = 0;
    for (const PackageFiles& one : files_) {
      total += one.archive_bytes();
    }
    progress_.begin(kActivity, total, Progress::Unit::kBytes);
    const PrefixPlan plan(planned());
    const io::DirectoryTree tree = TRY(io::DirectoryTree::open(root));
    TRY(tree.make_directory("conda-meta"));
    Shared shared{.tree = tree, .plan = plan, .stop = stop_, .through = {}, .met = {}};
    for (std::size_t round = 0; TRY(write_round(round, shared)); ++round) {
    }
    InstallReport report = report_of(shared);
    if (options_.compile_bytecode) {
      TRY(compile(root, plan, report));
    }
    TRY(write_records(tree));
    progress_.end(kActivity);
    return report;
  }

 private:
  Status open_packages(const std::string& spill) {
    const Placement placement = Placement::of(prefix_, find_python(packages_));
    files_ = TRY(pool_.map(
        packages_.size(),
        [&](std::size_t i) -> Result<PackageFiles> {
          return open_package(packages_[i], spill, placement)
              .context("in the package {}", file_name(packages_[i]));
        },
        stop_));
    bytecode_.resize(packages_.size());
    return {};
  }

  static Result<PackageFiles> open_package(const InstallPackage& package, const std::string& spill,
                                           const Placement& placement) {
    PackageArchive archive = TRY(PackageArchive::open(package.archive, spill));
    return PackageFiles::open(std::move(archive), package.record, placement);
  }

  static std::string file_name(const InstallPackage& package) {
    return printable(base_name(package.archive));
  }

  std::vector<PrefixPlan::Package> planned() const {
    std::vector<PrefixPlan::Package> all;
    all.reserve(packages_.size());
    for (std::size_t i = 0; i < packages_.size(); ++i) {
      all.push_back({packages_[i].record.name, &files_[i].paths()});
    }
    return all;
  }

  // False when no package belongs to this round or a later one.
  Result<bool> write_round(std::size_t round, Shared& shared) {
    std::vector<std::size_t> members;
    bool later = false;
    for (std::size_t i = 0; i < packages_.size(); ++i) {
      if (shared.plan.round(i) == round) {
        members.push_back(i);
      }
      later = later || shared.plan.round(i) >= round;
    }
    const auto write = [&](std::size_t i) -> Status {
      DiskSink sink(shared, i);
      TRY(files_[i].deliver(sink).context("in the package {}", file_name(packages_[i])));
      progress_.advance(kActivity, files_[i].archive_bytes(), packages_[i].record.name);
      return {};
    };
    if (round > 0) {  // rare, and only so nobody meets a file that is being written
      for (const std::size_t i : members) {
        TRY(write(i));
      }
      return later;
    }
    std::ranges::stable_sort(members, std::greater(),
                             [&](std::size_t i) { return files_[i].archive_bytes(); });
    TRY(pool_.run(members.size(), [&](std::size_t at) { return write(members[at]); }, stop_));
    return later;
  }

  // The sources below site-packages of noarch python packages, none of which ships bytecode (conda:
  // conda/core/path_actions.py, CompileMultiPycAction). `of` says whose each is.
  std::vector<std::string> sources(const PrefixPlan& plan, const Placement& placement,
                                   std::map<std::string, std::size_t>& of) const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < packages_.size(); ++i) {
      for (const PlacedPath& placed : files_[i].paths()) {
        if (files_[i].noarch() == conda::Noarch::kPython && placed.path.ends_with(".py") &&
            !placed.is_link && placed.path.starts_with(placement.site_packages + "/") &&
            plan.owns(i, placed.path)) {
          all.push_back(placed.path);
          of[placed.path] = i;
        }
      }
    }
    std::ranges::sort(all);
    return all;
  }

  Status compile(const std::string& root, const PrefixPlan& plan, InstallReport& report) {
    const Placement placement = Placement::of(prefix_, find_python(packages_));
    std::map<std::string, std::size_t> owners;
    const BytecodeRequest request{.root = root,
                                  .prefix = prefix_,
                                  .interpreter = "bin/python" + placement.python_version,
                                  .sources = sources(plan, placement, owners)};
    if (request.sources.empty()) {
      return {};
    }
    Result<std::vector<std::string>> made = compile_bytecode(request, pool_, stop_);
    if (!made && made.error().kind == ErrorKind::kUnsupported) {
      report.notes.push_back("bytecode was not compiled: " + made.error().message);
      return {};
    }
    if (!made) {
      return std::move(made.error());
    }
    for (const std::string& path : *made) {
      const auto found = owners.find(source_of(path));
      if (found != owners.end()) {
        bytecode_[found->second].push_back(path);
        ++report.files;
      }
    }
    return {};
  }

  // "a/__pycache__/b.cpython-311.pyc" is made of "a/b.py"; before Python 3.2, "a/b.pyc".
  static std::string source_of(const std::string& pyc) {
    const std::string directory = parent_path(pyc);
    const std::string_view name = base_name(pyc);
    const std::string_view tagged = name.substr(0, name.rfind('.'));
    const std::string stem(tagged.substr(0, tagged.rfind('.')));
    return base_name(directory) == "__pycache__" ? join_path(parent_path(directory), stem + ".py")
                                                 : pyc.substr(0, pyc.size() - 1);
  }

  Status write_records(const io::DirectoryTree& tree) {
    return pool_.run(packages_.size(), [&](std::size_t i) -> Status {
      const std::string path = "conda-meta/" + distribution_name(packages_[i].record) + ".json";
      const io::Descriptor file = TRY(tree.create_file(path, 0644));
      conda::PackageRecord record = packages_[i].record;
      record.noarch = files_[i].noarch();
      return io::write_all(file,
                           prefix_record({.record = record,
                                          .paths = files_[i].paths(),
                                          .bytecode = bytecode_[i],
                                          .requested_specs = packages_[i].requested_specs,
                                          .prefix = prefix_}),
                           path);
    });
  }

  InstallReport report_of(const Shared& shared) const {
    InstallReport report;
    report.packages = packages_.size();
    report.files = shared.files;
    report.bytes = shared.bytes;
    report.clobbers = shared.plan.clobbers();
    for (const auto& [path, who] : shared.met) {
      report.clobbers.push_back({.path = path,
                                 .winner = packages_[who.first].record.name,
                                 .losers = {packages_[who.second].record.name}});
    }
    std::ranges::stable_sort(report.clobbers, {}, &Clobber::path);
    for (std::size_t i = 0; i < packages_.size(); ++i) {
      add_scripts(i, report);
    }
    return report;
  }

  void add_scripts(std::size_t package, InstallReport& report) const {
    const std::string& name = packages_[package].record.name;
    for (const std::string action : {"pre-link", "post-link", "pre-unlink"}) {
      std::string path = fmt::format("bin/.{}-{}.sh", name, action);
      if (std::ranges::find(files_[package].paths(), path, &PlacedPath::path) !=
          files_[package].paths().end()) {
        report.scripts.push_back({name, action, std::move(path)});
      }
    }
  }

  const std::vector<InstallPackage>& packages_;
  const InstallOptions& options_;
  io::ThreadPool& pool_;
  Progress& progress_;
  const std::stop_token& stop_;
  std::string prefix_;
  std::vector<PackageFiles> files_;
  std::vector<std::vector<std::string>> bytecode_;  // of each package
};

std::string history(const std::vector<InstallPackage>& packages, const InstallOptions& options,
                    std::int64_t now_ms) {
  HistoryEntry entry;
  entry.time_ms = now_ms;
  entry.command = options.command;
  entry.tool = std::string(kToolLine.substr(2)) + options.tool_version;
  for (const InstallPackage& one : packages) {
    entry.linked.push_back(history_name(one.record));
    for (const std::string& spec : one.requested_specs) {
      entry.specs.push_back(spec);
    }
  }
  return history_block(entry);
}

// Gives `from` the name `prefix`. What stood there is then at `from`, or was nothing.
Status put_in_place(const std::string& from, const std::string& prefix, Standing standing) {
  const unsigned flags = standing == Standing::kOurs      ? RENAME_EXCHANGE
                         : standing == Standing::kNothing ? RENAME_NOREPLACE
                                                          : 0;  // an empty directory gives way
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, prefix.c_str(), flags) != 0) {
    return io::system_error(errno, "create", prefix);
  }
  return io::sync_directory(parent_path(prefix));
}

}  // namespace

Result<InstallReport> install_prefix(const std::vector<InstallPackage>& packages,
                                     const InstallOptions& options, io::ThreadPool& pool,
                                     Clock& clock, Progress& progress,
                                     const std::stop_token& stop) {
  TRY(io::check_path(options.prefix));
  TRY(check_names(packages));
  const std::string prefix = normal_path(join_path(io::current_directory(), options.prefix));
  const Standing standing = TRY(look_at(prefix));
  if (standing == Standing::kOurs && !options.replace) {
    return fail(ErrorKind::kConflict, "there is an environment at {} already", printable(prefix))
        .with_hint("name another directory, or ask to replace it");
  }
  TRY(io::make_directories(parent_path(prefix)));
  const io::TemporaryDirectory work = TRY(io::TemporaryDirectory::create(parent_path(prefix)));
  const std::string root = join_path(work.path(), "prefix");
  const std::string spill = join_path(work.path(), "spill");
  if (::mkdir(root.c_str(), 0755) != 0 || ::mkdir(spill.c_str(), 0700) != 0 ||
      ::chmod(root.c_str(), 0755) != 0) {
    return io::system_error(errno, "create a directory in", work.path());
  }

  Installation installation(packages, options, pool, progress, stop);
  InstallReport report = TRY(installation.write(
      root, spill, options.prefix_in_files.empty() ? prefix : options.prefix_in_files));
  TRY(io::write_file_atomically(join_path(root, kHistory),
                                history(packages, options, clock.now_ms())));
  TRY(put_in_place(root, prefix, standing));
  return report;
}

}  // namespace cloche::source
