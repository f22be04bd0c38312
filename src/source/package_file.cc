#include "source/package_file.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/check.h"
#include "core/credentials.h"
#include "core/files.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/http_sink.h"
#include "io/reader.h"
#include "io/system_error.h"
#include "io/temporary.h"

namespace cloche::source {
namespace {

constexpr std::string_view kVerifying = "verifying";
constexpr std::string_view kActivity = "downloading packages";
constexpr std::uint64_t kMaxPackageBytes = std::uint64_t{16} << 30U;  // where no size is said
// So many files are open at once, each with its lock.
constexpr std::size_t kBatch = 128;
constexpr std::size_t kHashLineBytes = 128;

// Where the bytes of one package arrive: a file that a later download continues, or, while another
// process writes that one, a file of our own.
class Partial {
 public:
  static Result<std::unique_ptr<Partial>> open(const std::string& folder, const std::string& key,
                                               bool with_md5) {
    TRY(io::make_directories(folder));
    const std::string shared = folder + "/" + key;
    io::Descriptor lock(::open(shared.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!lock.valid()) {
      return io::system_error(errno, "create", shared);
    }
    const bool mine = ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0 && is_at(lock, shared);
    const std::string path = mine ? shared : folder + "/.cloche-" + io::random_name();
    std::unique_ptr<Partial> out(new Partial(mine ? std::move(lock) : io::Descriptor(), path));
    out->sink_ = TRY(io::FileSink::open(path, with_md5));
    return out;
  }

  ~Partial() {
    if (!path_.empty() && (!lock_.valid() || remove_)) {
      ::unlink(path_.c_str());
    }
  }
  Partial(const Partial&) = delete;
  Partial& operator=(const Partial&) = delete;

  io::FileSink& sink() { return *sink_; }
  const std::string& path() const { return path_; }
  void remove() { remove_ = true; }  // when it goes, its file goes too
  void taken() { path_.clear(); }    // its file has another name now

 private:
  Partial(io::Descriptor lock, std::string path) : lock_(std::move(lock)), path_(std::move(path)) {}

  // Whoever had the lock before may have renamed the file.
  static bool is_at(const io::Descriptor& file, const std::string& path) {
    struct stat open{};
    struct stat named{};
    return ::fstat(file.get(), &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
           open.st_ino == named.st_ino && open.st_dev == named.st_dev;
  }

  io::Descriptor lock_;
  std::string path_;
  std::unique_ptr<io::FileSink> sink_;
  bool remove_ = false;
};

Result<std::string> md5_of_file(const std::string& path) {
  io::FileReader file = TRY(io::FileReader::open(path));
  Hasher hasher(Hasher::Algorithm::kMd5);
  std::string buffer(std::size_t{256} << 10U, '\0');
  while (const std::size_t count = TRY(file.read(buffer))) {
    hasher.update(std::string_view(buffer).substr(0, count));
  }
  return hasher.finish_hex();
}

// One archive that has to be fetched, for one or several files.
struct Job {
  const PackageFile* file = nullptr;
  std::vector<std::size_t> files;  // their places in the request
  std::string key;
  std::vector<io::HttpUrl> urls;  // those that did not give something else yet
  std::unique_ptr<Partial> partial;
  bool continued = false;
  bool anew = false;                        // what was there is of no use
  std::optional<Result<std::string>> path;  // the outcome
};

class Download {
 public:
  Download(const std::string& directory, const blob::BlobStore& store, io::HttpClient& client)
      : directory_(directory), store_(store), client_(client) {}

  Result<std::vector<std::string>> run(std::span<const PackageFile> files, bool offline,
                                       const std::stop_token& stop, Progress& progress) {
    std::vector<std::string> paths(files.size());
    std::uint64_t local_bytes = 0;
    for (const PackageFile& file : files) {
      local_bytes += file.path.empty() ? 0 : file.size_bytes;
    }
    if (local_bytes > 0) {
      progress.begin(kVerifying, local_bytes, Progress::Unit::kBytes);
    }
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (stop.stop_requested()) {
        return fail(ErrorKind::kCancelled, "stopped");
      }
      if (auto present = TRY(find(files[i]))) {
        paths[i] = std::move(*present);
      } else {
        TRY(add_job(files[i], i, offline));
      }
      if (!files[i].path.empty()) {
        progress.advance(kVerifying, files[i].size_bytes, files[i].name);
      }
    }
    if (local_bytes > 0) {
      progress.end(kVerifying);
    }
    TRY(fetch_all(stop, progress));
    for (const Job& job : jobs_) {
      CHECK(job.path.has_value());
      const std::string path = TRY(*job.path);
      for (const std::size_t i : job.files) {
        paths[i] = path;
      }
    }
    return paths;
  }

 private:
  // --- what is there ---

  Result<std::optional<std::string>> find(const PackageFile& file) const {
    if (!file.path.empty()) {
      return std::optional(TRY(local(file)));
    }
    TRY(check_hashes(file));
    std::string hex = file.sha256;
    if (hex.empty() && !file.md5.empty()) {
      hex = io::DiskFiles().read(md5_path(file.md5), kHashLineBytes).value_or("");
    }
    const auto digest = Digest::parse("sha256:" + std::string(trim(hex)));
    if (!digest || !store_.use(*digest)) {
      return std::nullopt;
    }
    return std::optional(TRY(store_.path(*digest)));
  }

  // They become files' names, whoever made the file.
  static Status check_hashes(const PackageFile& file) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const std::string* hash : {&file.sha256, &file.md5}) {
      if (hash->find_first_not_of(kDigits) != std::string::npos) {
        return fail(ErrorKind::kInvalid, "the hash of {} is none", printable(file.name));
      }
    }
    return {};
  }

  std::string md5_path(const std::string& md5) const { return directory_ + "/md5/" + md5; }

  static Result<std::string> local(const PackageFile& file) {
    std::string path = file.path;
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) {
      Error error = io::system_error(errno, "read", path);
      return std::move(error).with_hint(
          fmt::format("the {}'s index names it: let it be indexed again", file.origin));
    }
    io::FileSink::Hashes hashes;
    if (!file.sha256.empty()) {
      hashes.sha256 = TRY(io::DiskFiles().digest(path));
    } else if (!file.md5.empty()) {
      hashes.md5 = TRY(md5_of_file(path));
    }
    TRY(check(file, static_cast<std::uint64_t>(info.st_size), hashes, path));
    return path;
  }

  static Status check(const PackageFile& file, std::uint64_t size_bytes,
                      const io::FileSink::Hashes& hashes, const std::string& place) {
    std::string wrong;
    if (file.size_bytes != 0 && file.size_bytes != size_bytes) {
      wrong = fmt::format("it has {} bytes, not {}", size_bytes, file.size_bytes);
    } else if (!file.sha256.empty() && hashes.sha256.hex() != file.sha256) {
      wrong = fmt::format("its sha256 is {}, not {}", hashes.sha256.hex(), file.sha256);
    } else if (file.sha256.empty() && hashes.md5 != file.md5) {
      wrong = fmt::format("its md5 is {}, not {}", hashes.md5, file.md5);
    }
    if (wrong.empty()) {
      return {};
    }
    return fail(ErrorKind::kCorrupt, "{} from {} is not the package that was asked for: {}",
                printable(file.name), place, wrong)
        .with_hint(
            fmt::format("the {} was updated meanwhile, or a mirror or proxy serves something "
                        "else: refresh the lock, or try another {}",
                        file.origin, file.origin));
  }

  // --- what is not ---

  Status add_job(const PackageFile& file, std::size_t index, bool offline) {
    if (file.sha256.empty() && file.md5.empty()) {
      return fail(ErrorKind::kUnsupported, "the {} gives no hash of {}", file.origin,
                  printable(file.name))
          .with_hint("what arrives could not be verified: let it be indexed again");
    }
    if (offline) {
      return fail(ErrorKind::kUnavailable, "offline, and {} is not cached", printable(file.name))
          .with_hint("run once with a network");
    }
    const std::string key = file.sha256.empty() ? "md5-" + file.md5 : "sha256-" + file.sha256;
    if (const auto same = by_key_.find(key); same != by_key_.end()) {
      jobs_[same->second].files.push_back(index);
      return {};
    }
    by_key_[key] = jobs_.size();
    Job job;
    job.file = &file;
    job.files = {index};
    job.key = key;
    job.urls = file.urls;
    jobs_.push_back(std::move(job));
    return {};
  }

  // Largest first, so that the last one to arrive is a small one.
  Status fetch_all(const std::stop_token& stop, Progress& progress) {
    std::vector<Job*> order;
    order.reserve(jobs_.size());
    for (Job& job : jobs_) {
      order.push_back(&job);
    }
    std::ranges::stable_sort(order, std::greater(),
                             [](const Job* job) { return job->file->size_bytes; });
    while (!order.empty()) {
      std::vector<Job*> batch(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(
                                                                 std::min(kBatch, order.size())));
      order.erase(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(batch.size()));
      TRY(fetch_batch(std::move(batch), stop, progress));
    }
    const bool any_came = std::ranges::any_of(
        jobs_, [](const Job& job) { return job.path.has_value() && job.path->has_value(); });
    return any_came ? store_.sync() : Status();
  }

  // Until each has come, or has failed at every place. A round for those that were damaged.
  Status fetch_batch(std::vector<Job*> jobs, const std::stop_token& stop, Progress& progress) {
    while (!jobs.empty()) {
      std::vector<io::HttpRequest> requests;
      std::vector<Job*> asked;
      for (Job* job : jobs) {
        TRY(open(*job));
        if (is_complete(*job)) {
          settle(*job, job->file->url);
          if (!job->path) {
            TRY(open(*job));  // it was something else
          }
        }
        if (!job->path) {
          requests.push_back(request_for(*job));
          asked.push_back(job);
        }
      }
      const auto responses = client_.run(requests, stop, progress, kActivity);
      jobs.clear();
      for (std::size_t i = 0; i < asked.size(); ++i) {
        take(*asked[i], responses[i]);
        if (!asked[i]->path) {
          jobs.push_back(asked[i]);
        }
      }
    }
    return {};
  }

  Status open(Job& job) const {
    job.partial.reset();  // its lock first
    job.partial = TRY(Partial::open(directory_ + "/partial", job.key, job.file->sha256.empty()));
    io::FileSink& sink = job.partial->sink();
    if (job.anew || (job.file->size_bytes != 0 && sink.size_bytes() > job.file->size_bytes)) {
      TRY(sink.restart());
    }
    job.continued = sink.size_bytes() > 0;
    return {};
  }

  // A process that was killed between the last byte and the rename left all of it.
  static bool is_complete(Job& job) {
    return job.continued && job.partial->sink().size_bytes() == job.file->size_bytes;
  }

  static io::HttpRequest request_for(Job& job) {
    io::HttpRequest request;
    request.urls = job.urls;
    request.sink = &job.partial->sink();
    request.name = job.file->name;
    request.expected_bytes = job.file->size_bytes;
    request.limit_bytes = job.file->size_bytes == 0 ? kMaxPackageBytes : job.file->size_bytes;
    request.resume_from = job.partial->sink().size_bytes();
    request.hash_is_checked = true;
    return request;
  }

  void take(Job& job, const Result<io::HttpResponse>& response) {
    if (response) {
      settle(job, response->url);
      return;
    }
    Error error = response.error();
    if (error.kind == ErrorKind::kInvalid && job.partial->sink().size_bytes() == 0) {
      error.kind = ErrorKind::kCorrupt;  // larger than the file says
    }
    error.message =
        fmt::format("{} cannot be downloaded: {}", printable(job.file->name), error.message);
    // An empty file is nothing to continue.
    if (job.partial->sink().size_bytes() == 0) {
      job.partial->remove();
    }
    job.partial.reset();
    job.path = std::move(error);
  }

  // All of it is in the partial file: into the store, or away with it.
  void settle(Job& job, const std::string& url) {
    const std::uint64_t size_bytes = job.partial->sink().size_bytes();
    auto hashes = job.partial->sink().finish();
    if (!hashes) {
      job.path = hashes.error();
      return;
    }
    if (const Status good = check(*job.file, size_bytes, *hashes, shown_url(url)); !good) {
      job.partial->remove();
      job.anew = true;
      const bool was_continued = job.continued;
      job.partial.reset();
      if (!was_continued && !drop_url(job, url)) {
        job.path = good.error();
      }
      return;  // without a path: once more, from the start or elsewhere
    }
    job.path = keep(job, hashes->sha256);
    job.partial.reset();
  }

  // Whether there is another place than the one that gave something else.
  static bool drop_url(Job& job, const std::string& url) {
    std::erase_if(job.urls, [&](const io::HttpUrl& one) { return shown_url(one.url) == url; });
    return !job.urls.empty();
  }

  Result<std::string> keep(Job& job, const Digest& digest) {
    TRY(store_.adopt(job.partial->path(), digest));
    job.partial->taken();
    if (job.file->sha256.empty()) {
      TRY(io::write_file_atomically(md5_path(job.file->md5), digest.hex() + "\n"));
    }
    return store_.path(digest);
  }

  const std::string& directory_;
  const blob::BlobStore& store_;
  io::HttpClient& client_;
  std::vector<Job> jobs_;
  std::map<std::string, std::size_t> by_key_;
};

}  // namespace

FileCache::FileCache(std::string directory, io::HttpClient& client)
    : directory_(std::move(directory)), store_(directory_), client_(client) {}

Result<std::vector<std::string>> FileCache::fetch(std::span<const PackageFile> files,
                                                  const DownloadOptions& options,
                                                  const std::stop_token& stop, Progress& progress) {
  return Download(directory_, store_, client_).run(files, options.offline, stop, progress);
}

}  // namespace cloche::source
