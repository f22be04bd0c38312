#include "image/blob_download.h"

#include <list>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob/work_lock.h"
#include "core/files.h"
#include "core/text.h"
#include "io/file.h"
#include "io/http_sink.h"

namespace cloche::image {
namespace {

// One blob on its way, which nobody else fetches meanwhile.
struct Arriving {
  Descriptor blob;
  blob::WorkLock lock;
  std::unique_ptr<io::FileSink> sink;
  std::uint64_t had_bytes = 0;
};

std::uint64_t size_of(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::string partial_path(const blob::BlobStore& store, const Digest& digest) {
  return join_path(store.root(), "tmp/" + digest.hex() + ".part");
}

Result<std::unique_ptr<io::FileSink>> open_partial(const std::string& path,
                                                   std::uint64_t whole_bytes) {
  if (size_of(path) > whole_bytes) {
    ::unlink(path.c_str());
  }
  return io::FileSink::open(path);
}

}  // namespace

Result<std::uint64_t> BlobDownload::run(std::span<const Descriptor> blobs,
                                        const std::stop_token& stop, Progress& progress) const {
  std::map<Digest, Descriptor> wanted;  // in one order, for the locks
  for (const Descriptor& blob : blobs) {
    if (!store_.use(blob.digest)) {
      wanted.emplace(blob.digest, blob);
    }
  }
  TRY(io::make_directories(join_path(store_.root(), "tmp")));
  std::list<Arriving> arriving;
  for (const auto& [digest, blob] : wanted) {
    auto lock = TRY(blob::WorkLock::hold(store_.root(), "blob " + digest.hex(),
                                         "fetching " + digest.to_string(), stop, progress));
    if (store_.use(digest)) {
      continue;  // somebody else fetched it
    }
    auto sink = TRY(open_partial(partial_path(store_, digest), blob.size_bytes));
    const std::uint64_t had = sink->size_bytes();
    arriving.push_back({blob, std::move(lock), std::move(sink), had});
  }
  std::vector<RegistryCall> calls;
  std::vector<Arriving*> asked;
  for (Arriving& one : arriving) {
    if (one.had_bytes < one.blob.size_bytes || one.blob.size_bytes == 0) {
      calls.push_back({.target = "blobs/" + one.blob.digest.to_string(),
                       .sink = one.sink.get(),
                       .name = one.blob.digest.hex().substr(0, 12),
                       .limit_bytes = one.blob.size_bytes,
                       .resume_from = one.had_bytes,
                       .progress = true});
      asked.push_back(&one);
    }
  }
  std::optional<Error> first_error;
  const auto note = [&first_error](Error error) {
    if (!first_error) {
      first_error = std::move(error);
    }
  };
  auto answers = TRY(session_.run(calls, repository_, {"repository:" + repository_ + ":pull"}, stop,
                                  progress, "pulling"));
  std::map<const Arriving*, bool> failed;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Arriving& one = *asked[i];
    const long status = answers[i] ? answers[i]->response.status : 0;
    if (status == 200 || status == 206) {
      continue;
    }
    failed[&one] = true;
    note(!answers[i] ? answers[i].error()
                     : session_.error_of(*answers[i], repository_,
                                         "the blob " + one.blob.digest.to_string()));
  }
  std::uint64_t fetched = 0;
  for (Arriving& one : arriving) {
    if (failed.contains(&one)) {
      continue;  // what came stays, to be continued
    }
    const std::uint64_t size = one.sink->size_bytes();
    const io::FileSink::Hashes hashes = TRY(one.sink->finish());
    if (size != one.blob.size_bytes || hashes.sha256 != one.blob.digest) {
      ::unlink(one.sink->path().c_str());
      note(fail(ErrorKind::kCorrupt,
                "{}: {}: the blob that was sent is {} of {} bytes, not {} of {}", session_.host(),
                repository_, hashes.sha256.to_string(), size, one.blob.digest.to_string(),
                one.blob.size_bytes)
               .with_hint("the registry is damaged, or somebody changes what it sends"));
      continue;
    }
    TRY(store_.adopt(one.sink->path(), one.blob.digest));
    fetched += size - one.had_bytes;
  }
  if (first_error) {
    return *first_error;
  }
  return fetched;
}

}  // namespace cloche::image
