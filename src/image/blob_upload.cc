#include "image/blob_upload.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <list>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "core/encoding.h"
#include "core/text.h"
#include "image/blob_download.h"

namespace cloche::image {
namespace {

// Small enough to lose little, large enough for stores that want parts of 5 MB or more.
constexpr std::uint64_t kPieceBytes = std::uint64_t{16} << 20U;
constexpr int kAttempts = 5;
constexpr std::chrono::milliseconds kFirstPause{200};

std::string short_name(const Descriptor& blob) { return blob.digest.hex().substr(0, 12); }

std::string with_digest(const std::string& location, const Digest& digest) {
  return location + (location.contains('?') ? "&" : "?") +
         "digest=" + percent_encoded(digest.to_string());
}

// "0-99": 100 bytes are there. docker-registry says "0-0" for none, which is one byte as well.
std::uint64_t bytes_of_range(std::string_view range) {
  if (const std::size_t equals = range.find('='); equals != std::string_view::npos) {
    range.remove_prefix(equals + 1);  // "bytes=0-99", as some write it
  }
  std::uint64_t last = 0;
  if (!range.starts_with("0-")) {
    return 0;
  }
  const auto [end, error] = std::from_chars(range.data() + 2, range.data() + range.size(), last);
  const bool whole = error == std::errc() && end == range.data() + range.size();
  return whole && last > 0 ? last + 1 : 0;
}

bool may_heal(const Result<RegistryAnswer>& answer) {
  // 404 and 416: the upload was lost; 400: docker-registry's word for pieces that do not fit.
  return answer ? answer->response.status == 404 || answer->response.status == 416 ||
                      answer->response.status == 400
                : answer.error().kind == ErrorKind::kUnavailable;
}

}  // namespace

BlobUpload::BlobUpload(RegistrySession& session, const std::string& repository,
                       const blob::BlobStore& store, std::vector<UploadSource> sources)
    : session_(session), repository_(repository), store_(store), sources_(std::move(sources)) {
  scopes_ = {"repository:" + repository + ":pull,push"};
  for (const UploadSource& source : sources_) {
    if (source.session == &session_ && source.repository != repository) {
      scopes_.insert("repository:" + source.repository + ":pull");
    }
  }
}

Result<UploadCounts> BlobUpload::run(std::span<const Descriptor> blobs,
                                     const std::set<Digest>& there, const std::stop_token& stop,
                                     Progress& progress) {
  std::vector<Descriptor> unknown;
  std::set<Digest> seen;
  for (const Descriptor& blob : blobs) {
    if (seen.insert(blob.digest).second && !there.contains(blob.digest)) {
      unknown.push_back(blob);
    }
  }
  const std::vector<Descriptor> lacking = TRY(missing(unknown, stop, progress));
  counts_.present = seen.size() - lacking.size();
  const std::vector<std::string> locations = TRY(begin(lacking, stop, progress));
  std::vector<Descriptor> unsent;
  std::vector<std::string> places;
  for (std::size_t i = 0; i < lacking.size(); ++i) {
    if (!locations[i].empty()) {
      unsent.push_back(lacking[i]);
      places.push_back(locations[i]);
    }
  }
  counts_.mounted = lacking.size() - unsent.size();
  TRY(fetch(unsent, stop, progress));
  TRY(send(unsent, std::move(places), stop, progress));
  counts_.uploaded = unsent.size();
  for (const Descriptor& blob : unsent) {
    counts_.uploaded_bytes += blob.size_bytes;
  }
  return counts_;
}

Result<std::vector<Descriptor>> BlobUpload::missing(const std::vector<Descriptor>& blobs,
                                                    const std::stop_token& stop,
                                                    Progress& progress) {
  std::vector<RegistryCall> calls;
  calls.reserve(blobs.size());
  for (const Descriptor& blob : blobs) {
    calls.push_back({.method = "HEAD", .target = "blobs/" + blob.digest.to_string()});
  }
  auto answers = TRY(session_.run(calls, repository_, scopes_, stop, progress, "asking"));
  std::vector<Descriptor> lacking;
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    const RegistryAnswer answer = TRY(std::move(answers[i]));
    if (answer.response.status == 404) {
      lacking.push_back(blobs[i]);
    } else if (answer.response.status != 200) {
      return session_.error_of(answer, repository_, "asking for its blobs");
    }
  }
  return lacking;
}

Result<std::vector<std::string>> BlobUpload::begin(std::span<const Descriptor> blobs,
                                                   const std::stop_token& stop,
                                                   Progress& progress) {
  const auto from = std::ranges::find_if(sources_, [this](const UploadSource& source) {
    return source.session == &session_ && source.repository != repository_;
  });
  std::vector<RegistryCall> calls;
  std::list<io::StringSource> empty;  // a POST says that it has no body
  for (const Descriptor& blob : blobs) {
    std::string target = "blobs/uploads/";
    if (from != sources_.end()) {
      target += "?mount=" + percent_encoded(blob.digest.to_string()) +
                "&from=" + percent_encoded(from->repository);
    }
    calls.push_back({.method = "POST", .target = target, .body = &empty.emplace_back("")});
  }
  auto answers = TRY(session_.run(calls, repository_, scopes_, stop, progress, "asking"));
  std::vector<std::string> locations;
  for (auto& result : answers) {
    const RegistryAnswer answer = TRY(std::move(result));
    if (answer.response.status == 201) {
      locations.emplace_back();
    } else if (answer.response.status == 202) {
      locations.push_back(TRY(session_.whole_url(answer.response.header("location"))));
    } else {
      return session_.error_of(answer, repository_, "sending a blob");
    }
  }
  return locations;
}

// What neither the store nor the registry has, from a source.
Status BlobUpload::fetch(std::span<const Descriptor> blobs, const std::stop_token& stop,
                         Progress& progress) {
  std::vector<Descriptor> absent;
  for (const Descriptor& blob : blobs) {
    if (!store_.contains(blob.digest)) {
      absent.push_back(blob);
    }
  }
  std::optional<Error> error;
  for (const UploadSource& source : sources_) {
    if (absent.empty()) {
      return {};
    }
    auto fetched =
        BlobDownload(*source.session, source.repository, store_).run(absent, stop, progress);
    if (!fetched) {
      error = fetched.error();
    }
    std::erase_if(absent, [this](const Descriptor& blob) { return store_.contains(blob.digest); });
  }
  if (absent.empty()) {
    return {};
  }
  if (error) {
    return *error;
  }
  return fail(ErrorKind::kNotFound, "the blob {} is not here", absent[0].digest.to_string())
      .with_hint("pull the base image with its layers");
}

Status BlobUpload::send(std::span<const Descriptor> blobs, std::vector<std::string> locations,
                        const std::stop_token& stop, Progress& progress) {
  std::list<io::FilePartSource> bodies;
  std::vector<RegistryCall> calls;
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    bodies.emplace_back(TRY(store_.path(blobs[i].digest)), 0, blobs[i].size_bytes);
    calls.push_back({.method = "PUT",
                     .target = with_digest(locations[i], blobs[i].digest),
                     .headers = {{"Content-Type", "application/octet-stream"}},
                     .body = &bodies.back(),
                     .name = short_name(blobs[i]),
                     .progress = true,
                     .retries = 0});
  }
  auto answers = TRY(session_.run(calls, repository_, scopes_, stop, progress, "pushing"));
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    if (answers[i] && answers[i]->response.status == 201) {
      continue;
    }
    const Error error = answers[i] ? session_.error_of(*answers[i], repository_, "sending a blob")
                                   : answers[i].error();
    if (!may_heal(answers[i])) {
      return error;
    }
    TRY(send_in_pieces(blobs[i], locations[i], error, stop, progress));
  }
  return {};
}

// How much of an upload the registry kept, and where it is to be continued; nothing: start again.
std::optional<BlobUpload::Kept> BlobUpload::ask_kept(const std::string& location,
                                                     const std::stop_token& stop) {
  const auto answer =
      session_.run_one({.target = location, .retries = 1}, repository_, scopes_, stop);
  if (!answer || answer->response.status != 204) {
    return std::nullopt;
  }
  const auto next = session_.whole_url(answer->response.header("location"));
  return Kept{.location = next ? *next : location,
              .bytes = bytes_of_range(answer->response.header("range"))};
}

Status BlobUpload::send_in_pieces(const Descriptor& blob, std::string location, const Error& reason,
                                  const std::stop_token& stop, Progress& progress) {
  Error error = reason;
  std::chrono::milliseconds pause = kFirstPause;
  for (int attempt = 0; attempt < kAttempts && !stop.stop_requested(); ++attempt) {
    progress.note(fmt::format("{}; continuing", error.message));
    std::this_thread::sleep_for(pause);
    pause *= 2;
    std::optional<Kept> kept = ask_kept(location, stop);
    if (!kept) {
      auto fresh = begin({&blob, 1}, stop, progress);
      if (!fresh) {
        error = fresh.error();
        continue;
      }
      if (fresh->front().empty()) {
        return {};  // mounted after all
      }
      kept = Kept{.location = fresh->front()};
    }
    location = kept->location;
    const Status sent =
        send_rest(blob, location, std::min(kept->bytes, blob.size_bytes), stop, progress);
    if (sent || (sent.error().kind != ErrorKind::kUnavailable)) {
      return sent;
    }
    error = sent.error();
  }
  error.message += fmt::format(" (tried {} times)", kAttempts + 1);
  return error;
}

Status BlobUpload::send_rest(const Descriptor& blob, std::string location, std::uint64_t offset,
                             const std::stop_token& stop, Progress& progress) {
  const std::string path = TRY(store_.path(blob.digest));
  const auto ask = [&](const RegistryCall& call) -> Result<RegistryAnswer> {
    auto answers = TRY(session_.run({&call, 1}, repository_, scopes_, stop, progress, "pushing"));
    if (may_heal(answers[0]) && answers[0]) {
      Error error = session_.error_of(*answers[0], repository_, "sending a blob");
      error.kind = ErrorKind::kUnavailable;  // a fresh upload may succeed
      return error;
    }
    return std::move(answers[0]);
  };
  while (offset < blob.size_bytes) {
    const std::uint64_t bytes = std::min(kPieceBytes, blob.size_bytes - offset);
    io::FilePartSource body(path, offset, bytes);
    const RegistryAnswer answer =
        TRY(ask({.method = "PATCH",
                 .target = location,
                 .headers = {{"Content-Type", "application/octet-stream"},
                             {"Content-Range", fmt::format("{}-{}", offset, offset + bytes - 1)}},
                 .body = &body,
                 .name = short_name(blob),
                 .progress = true,
                 .retries = 0}));
    if (answer.response.status != 202 && answer.response.status != 204) {
      return session_.error_of(answer, repository_, "sending a blob");
    }
    location = TRY(session_.whole_url(answer.response.header("location")));
    offset += bytes;
  }
  io::StringSource empty("");
  const RegistryAnswer answer = TRY(ask({.method = "PUT",
                                         .target = with_digest(location, blob.digest),
                                         .body = &empty,
                                         .retries = 0}));
  return answer.response.status == 201
             ? Status()
             : Status(session_.error_of(answer, repository_, "ending an upload"));
}

}  // namespace cloche::image
