#include "build/debian_configure.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/files.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/directory_tree.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/system_error.h"
#include "io/temporary.h"
#include "io/tree_entry.h"
#include "runtime/changes.h"
#include "runtime/engine.h"
#include "source/debian/unpacked_deb.h"

namespace cloche::build {
namespace {

constexpr std::string_view kAdmin = "var/lib/dpkg/";
constexpr std::string_view kScript = ".cloche-configure";
constexpr std::string_view kArchives = "/.cloche-archives";
constexpr std::string_view kPreinsts = ".cloche-preinst";
constexpr std::size_t kMaxStatusBytes = std::size_t{256} << 20U;
constexpr std::size_t kShownLines = 40;

// Nothing is started inside (policy-rc.d(8), Debian's invoke-rc.d).
constexpr std::string_view kPolicy = "#!/bin/sh\nexit 101\n";

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

Status put(const std::string& root, const std::string& path, std::string_view content,
           std::uint32_t mode) {
  const std::string place = join_path(root, path);
  std::error_code error;
  std::filesystem::create_directories(parent_path(place), error);
  if (error) {
    return io::system_error(error.value(), "create the directory", parent_path(place));
  }
  const io::Descriptor file(
      ::open(place.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.valid()) {
    return io::system_error(errno, "create", place);
  }
  TRY(io::write_all(file, content, place));
  return ::fchmod(file.get(), mode) == 0 ? Status()
                                         : Status(io::system_error(errno, "change", place));
}

class Configuring {
 public:
  Configuring(const ConfigureRequest& request, const blob::BlobStore& blobs, io::ThreadPool& pool,
              const std::stop_token& stop, Progress& progress)
      : request_(request), blobs_(blobs), pool_(pool), stop_(stop), progress_(progress) {}

  Result<blob::Segment> run() {
    const runtime::Engine engine =
        TRY(runtime::Engine::find(request_.cache, stop_, progress_)
                .context("Debian packages are configured in a container"));
    const io::TemporaryDirectory place = TRY(io::TemporaryDirectory::create(request_.cache));
    const std::string upper = place.path() + "/upper";
    const std::string extra = place.path() + "/extra";
    TRY(make_root(upper));
    TRY(make_root(extra));
    TRY(write_database(upper));
    TRY(write_preinsts(upper));
    for (const auto& [path, content] : request_.files) {
      TRY(put(upper, path, content, 0644));
    }
    TRY(put(extra, "usr/sbin/policy-rc.d", kPolicy, 0755));
    TRY(put(extra, std::string(kScript), configure_script(request_), 0755));
    TRY(run_container(engine, upper, extra, place.path() + "/output"));
    TRY(make_reproducible(upper, request_.newest_s));
    auto segment = TRY(blob::SegmentWriter::create(blobs_, request_.compression, pool_));
    TRY(runtime::write_changes(upper, {.newest_s = request_.newest_s}, segment, stop_)
            .context("in what configuring the packages changed"));
    return std::move(segment).finish();
  }

 private:
  static Status make_root(const std::string& path) {
    return ::mkdir(path.c_str(), 0755) == 0 && ::chmod(path.c_str(), 0755) == 0
               ? Status()
               : Status(io::system_error(errno, "create the directory", path));
  }

  Status write_database(const std::string& upper) const {
    std::string status;
    if (auto text = request_.base.read(std::string(kAdmin) + "status", kMaxStatusBytes)) {
      status = std::move(*text);
    } else if (text.error().kind != ErrorKind::kNotFound) {
      return std::move(text).error();
    }
    if (!status.empty() && !status.ends_with("\n\n")) {
      status += status.ends_with('\n') ? "\n" : "\n\n";
    }
    for (const source::UnpackedPackage& one : request_.packages) {
      status += source::unpacked_paragraph(one) + "\n";
    }
    TRY(put(upper, std::string(kAdmin) + "status", status, 0644));
    std::map<std::string, std::string> present;
    for (const std::string& name : request_.base.list(std::string(kAdmin) + "triggers")) {
      if (auto text =
              request_.base.read(std::string(kAdmin) + "triggers/" + name, kMaxStatusBytes)) {
        present[name] = std::move(*text);
      }
    }
    for (const auto& [name, text] : TRY(source::trigger_files(present, request_.packages))) {
      TRY(put(upper, std::string(kAdmin) + "triggers/" + name, text, 0644));
    }
    const std::string activated = TRY(source::activated_triggers(present, request_.packages));
    if (!activated.empty()) {
      TRY(put(upper, std::string(kAdmin) + "triggers/Unincorp", activated, 0644));
    }
    if (!request_.base.look(std::string(kAdmin) + "info/format")) {
      TRY(put(upper, std::string(kAdmin) + "info/format", "1\n", 0644));
    }
    std::error_code error;
    for (const char* name : {"updates", "alternatives", "parts"}) {
      std::filesystem::create_directories(join_path(upper, std::string(kAdmin) + name), error);
    }
    return {};
  }

  // The control files of packages that have a preinst script, each in a directory that takes the
  // name that dpkg gives it (kPreinstPart): copying them in the container would take a process for
  // each file.
  Status write_preinsts(const std::string& upper) const {
    const LowerRoot lower(request_.lower);
    for (const source::UnpackedPackage& one : request_.packages) {
      if (!one.contents->has_script("preinst")) {
        continue;
      }
      const std::string name = source::info_name(one.record);
      const std::string place = fmt::format("{}/{}/", kPreinsts, name);
      TRY(put(
          upper, place + "control",
          fmt::format("Package: {}\nArchitecture: {}\n", one.record.name, one.record.architecture),
          0644));
      for (const char* part : {"config", "preinst", "postinst", "prerm", "postrm", "templates"}) {
        const std::string path = fmt::format("{}info/{}.{}", kAdmin, name, part);
        if (const auto there = lower.look(path)) {
          TRY(put(upper, place + part, TRY(lower.read(path, kMaxStatusBytes)),
                  there->st_mode & 0777U));
        }
      }
    }
    return {};
  }

  Status run_container(const runtime::Engine& engine, const std::string& upper,
                       const std::string& extra, const std::string& output) {
    const io::Descriptor log(::open(output.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!log.valid()) {
      return io::system_error(errno, "create", output);
    }
    runtime::ContainerSpec spec;
    spec.lower = request_.lower;
    spec.lower.push_back(extra);
    spec.upper = upper;
    spec.args = {"/bin/sh", "/" + std::string(kScript)};
    spec.env = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                {"HOME", "/root"},
                {"TERM", "dumb"},
                {"TZ", "UTC"},
                {"LC_ALL", "C.UTF-8"},
                {"DEBIAN_FRONTEND", "noninteractive"},
                {"DEBCONF_NONINTERACTIVE_SEEN", "true"},
                {"SOURCE_DATE_EPOCH", std::to_string(request_.newest_s)},
                {"PERL_HASH_SEED", "0"},
                {"PYTHONHASHSEED", "0"}};
    spec.hostname = "localhost";
    spec.network = runtime::Network::kNone;
    spec.host_names = false;
    spec.capabilities = {"CAP_MKNOD", "CAP_AUDIT_WRITE"};
    for (std::size_t i = 0; i < request_.archives.size(); ++i) {
      spec.mounts.push_back({.source = request_.archives[i],
                             .target = fmt::format("{}/{}.deb", kArchives, i),
                             .read_only = true});
    }
    spec.out = log.get();
    spec.err = log.get();
    progress_.begin("configuring", 0, Progress::Unit::kNone);
    auto ended = engine.run(spec, stop_);
    progress_.end("configuring");
    const runtime::ExitStatus status = TRY(std::move(ended));
    if (status.code == 0) {
      return {};
    }
    const std::string text = io::DiskFiles().read(output, std::size_t{64} << 20U).value_or("");
    std::vector<std::string> lines;
    for (const std::string_view line : split_lines(text)) {
      lines.push_back("  " + printable(line));
    }
    if (lines.size() > kShownLines) {
      lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kShownLines));
    }
    return fail(ErrorKind::kInvalid, "configuring the Debian packages failed with exit code {}{}",
                status.code, status.reason().empty() ? "" : " (" + status.reason() + ")")
        .with_details(std::move(lines));
  }

  const ConfigureRequest& request_;
  const blob::BlobStore& blobs_;
  io::ThreadPool& pool_;
  const std::stop_token& stop_;
  Progress& progress_;
};

}  // namespace

namespace {

// As dpkg runs them: from a directory tmp.ci that has the package's control files, which is how
// debconf knows whose script it is (dpkg: src/main/unpack.c; debconf: frontend).
constexpr std::string_view kPreinstPart = R"(
export DPKG_ADMINDIR=/var/lib/dpkg DPKG_ROOT= DPKG_MAINTSCRIPT_NAME=preinst
export DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 DPKG_MAINTSCRIPT_DEBUG=0
DPKG_RUNNING_VERSION=$(dpkg-query --show --showformat='${Version}' dpkg)
export DPKG_RUNNING_VERSION
ci=/var/lib/dpkg/tmp.ci
preinst() {
  mv /.cloche-preinst/$3 $ci
  DPKG_MAINTSCRIPT_PACKAGE=$1 DPKG_MAINTSCRIPT_ARCH=$2 $ci/preinst install
  rm -r $ci
}
)";

std::string preinst_part(const ConfigureRequest& request) {
  std::string calls;
  for (const std::size_t place : source::unpack_order(request.packages)) {
    const source::UnpackedPackage& one = request.packages[place];
    if (one.contents->has_script("preinst")) {
      calls += fmt::format("preinst {} {} {}\n", one.record.name, one.record.architecture,
                           source::info_name(one.record));
    }
  }
  return calls.empty() ? ""
                       : "(" + std::string(kPreinstPart) + calls + "rmdir /.cloche-preinst\n)\n";
}

}  // namespace

std::string configure_script(const ConfigureRequest& request) {
  std::string out = "set -e\numask 022\nexec </dev/null\ncd /\n";
  for (const DirectoryAttributes& one : request.directories) {
    const std::string path = shell_quoted("/" + one.path);
    out += fmt::format("chown {}:{} {}\nchmod {:o} {}\n", one.uid, one.gid, path, one.mode, path);
  }
  constexpr std::string_view kDpkg = "dpkg --force-unsafe-io --force-confdef --force-confold";
  if (!request.removes.empty()) {
    out += fmt::format("{} --force-depends --remove", kDpkg);
    for (const std::string& name : request.removes) {
      out += " " + shell_quoted(name);
    }
    out += "\n";
  }
  if (!request.archives.empty()) {
    out += fmt::format("{} --force-depends --unpack", kDpkg);
    for (std::size_t i = 0; i < request.archives.size(); ++i) {
      out += fmt::format(" {}/{}.deb", kArchives, i);
    }
    out += "\n";
  }
  out += preinst_part(request);
  out += fmt::format("{} --configure -a\n", kDpkg);
  return out;
}

Result<blob::Segment> configure(const ConfigureRequest& request, const blob::BlobStore& blobs,
                                io::ThreadPool& pool, const std::stop_token& stop,
                                Progress& progress) {
  return Configuring(request, blobs, pool, stop, progress).run();
}

}  // namespace cloche::build
