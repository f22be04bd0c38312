#include "source/debian/archive.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "core/check.h"
#include "core/credentials.h"
#include "core/text.h"
#include "io/decompress.h"
#include "io/file.h"
#include "io/reader.h"
#include "source/debian/apt_auth.h"
#include "source/debian/release_cache.h"
#include "source/debian/signature.h"

namespace cloche::source {
namespace {

constexpr std::int64_t kMsPerHour = 3'600'000;
constexpr std::int64_t kFreshMs = kMsPerHour;
constexpr std::int64_t kMsPerDay = 24 * kMsPerHour;
constexpr std::uint64_t kMaxReleaseBytes = std::uint64_t{32} << 20U;
constexpr std::uint64_t kMaxPackagesBytes = std::uint64_t{1} << 30U;
constexpr std::string_view kActivity = "fetching archives";

struct Form {
  std::string_view ending;
  io::Compression compression;
};
// The smallest first, as apt has them.
constexpr std::array<Form, 5> kForms = {{{".zst", io::Compression::kZstd},
                                         {".xz", io::Compression::kXz},
                                         {".gz", io::Compression::kGzip},
                                         {".bz2", io::Compression::kBzip2},
                                         {"", io::Compression::kNone}}};

bool is_local(std::string_view uri) { return uri.starts_with("file:"); }

std::string local_path(std::string_view url) {
  url.remove_prefix(std::string_view("file:").size());
  while (url.starts_with("//")) {
    url.remove_prefix(1);
  }
  return std::string(url);
}

std::string without_slash(std::string_view text) {
  text.remove_suffix(text.ends_with('/') ? 1 : 0);
  return std::string(text);
}

std::string suite_url(const AptSource& source) {
  return source.suite.ends_with('/') ? source.uri + "/" + without_slash(source.suite)
                                     : source.uri + "/dists/" + source.suite;
}

// One suite on its way to its Release.
struct Suite {
  const AptSource* source = nullptr;
  std::string url;    // of the folder that has the Release; may hold credentials
  std::string shown;  // the same without them
  TrustedKeys keys;
  std::optional<CachedRelease> cached;
  bool asks = false;
  Release release;

  bool is_flat() const { return source->suite.ends_with('/'); }
};

// One Packages file on its way to an index.
struct Wanted {
  std::size_t suite = 0;
  std::string component;
  std::string path;   // below the suite, without a compression's ending
  std::string index;  // the index's file name
  std::optional<PackageIndex> opened;
};

class Opening {
 public:
  Opening(const std::string& directory, io::HttpClient& client, FileSource& files,
          std::int64_t now_ms, const ArchiveOptions& options, const std::stop_token& stop,
          Progress& progress, Diagnostics& diagnostics)
      : directory_(directory),
        client_(client),
        files_(files),
        now_ms_(now_ms),
        options_(options),
        stop_(stop),
        progress_(progress),
        diagnostics_(diagnostics),
        auth_(AptAuth::load(files, kAptDirectory)) {}

  Result<Archives> run(std::span<const AptSource> sources, std::string_view architecture) {
    architecture_ = architecture;
    for (const AptSource& source : sources) {
      TRY(begin(source));
    }
    TRY(fetch_releases());
    TRY(want_indexes());
    if (const Status made = make_indexes(); !made) {
      // The archive may have changed between its Release and its index.
      if (made.error().kind != ErrorKind::kCorrupt || options_.offline) {
        return made.error();
      }
      for (Suite& suite : suites_) {
        suite.asks = true;
      }
      TRY(fetch_releases());
      TRY(want_indexes());
      TRY(make_indexes());
    }
    return result();
  }

 private:
  // --- Releases

  Status begin(const AptSource& source) {
    const auto& only = source.architectures;
    if (!only.empty() && std::ranges::find(only, architecture_) == only.end()) {
      return {};
    }
    Suite suite;
    suite.source = &source;
    suite.url = suite_url(source);
    suite.shown = is_local(suite.url) ? suite.url : shown_url(suite.url);
    if (!source.trusted) {
      suite.keys = TRY(trusted_keys(source, files_));
    }
    suite.cached = read_cached_release(release_directory(), suite.shown);
    if (suite.cached && suite.cached->keys != identity(suite)) {
      suite.cached.reset();
    }
    const bool fresh =
        suite.cached && now_ms_ - suite.cached->checked_at_ms < kFreshMs && !options_.refresh;
    suite.asks = !fresh && !options_.offline;
    if (is_local(suite.url)) {
      suite.asks = true;
    } else if (options_.offline && !suite.cached) {
      return fail(ErrorKind::kUnavailable, "offline, and {} is not cached", suite.shown)
          .with_hint("run once with a network");
    }
    suites_.push_back(std::move(suite));
    return {};
  }

  io::HttpUrl url_of(std::string url) const {
    std::vector<io::HttpHeader> told = auth_.headers(url);
    return {.url = std::move(url), .headers = std::move(told)};
  }

  std::string release_directory() const { return directory_ + "/release"; }
  std::string index_directory() const { return directory_ + "/index"; }
  static std::string identity(const Suite& suite) {
    return suite.source->trusted ? "" : suite.keys.identity();
  }

  Status fetch_releases() {
    std::vector<Suite*> asking;
    std::vector<std::unique_ptr<io::StringSink>> sinks;
    std::vector<io::HttpRequest> requests;
    for (Suite& suite : suites_) {
      if (suite.asks && is_local(suite.url)) {
        TRY(read_local_release(suite).context("reading {}", suite.shown));
      } else if (suite.asks) {
        sinks.push_back(std::make_unique<io::StringSink>());
        io::HttpRequest request;
        request.urls = {url_of(suite.url + "/InRelease")};
        request.sink = sinks.back().get();
        request.name = suite.source->suite;
        request.limit_bytes = kMaxReleaseBytes;
        if (suite.cached) {
          request.etag = suite.cached->etag;
          request.last_modified = suite.cached->last_modified;
        }
        requests.push_back(std::move(request));
        asking.push_back(&suite);
      }
    }
    const auto responses = client_.run(requests, stop_, progress_, kActivity);
    for (std::size_t i = 0; i < asking.size(); ++i) {
      TRY(take_release(*asking[i], responses[i], sinks[i]->content()));
    }
    for (Suite& suite : suites_) {
      TRY(parse(suite).context("in the Release of {}", suite.shown));
    }
    return {};
  }

  Status take_release(Suite& suite, const Result<io::HttpResponse>& response,
                      const std::string& content) {
    suite.asks = false;
    if (!response && response.error().kind == ErrorKind::kNotFound) {
      return take_detached(suite);
    }
    if (!response) {
      Error error = response.error();
      error.message = fmt::format("the archive {} cannot be read: {}", suite.shown, error.message);
      if (suite.cached && error.kind == ErrorKind::kUnavailable) {
        error.hint += error.hint.empty() ? "" : "; ";
        error.hint += "there is a cached copy: --offline uses it";
      }
      return error;
    }
    if (response->not_modified && suite.cached) {
      suite.cached->checked_at_ms = now_ms_;
      return write_cached_release(release_directory(), *suite.cached);
    }
    return keep(suite, content, "", response->etag, response->last_modified)
        .context("reading {}/InRelease", suite.shown);
  }

  // An archive of the old kind: Release, and its signature beside it.
  Status take_detached(Suite& suite) {
    io::StringSink release;
    io::StringSink signature;
    std::vector<io::HttpRequest> requests(2);
    requests[0].urls = {url_of(suite.url + "/Release")};
    requests[0].sink = &release;
    requests[1].urls = {url_of(suite.url + "/Release.gpg")};
    requests[1].sink = &signature;
    for (io::HttpRequest& request : requests) {
      request.limit_bytes = kMaxReleaseBytes;
      request.name = suite.source->suite;
    }
    const auto responses = client_.run(requests, stop_, progress_, kActivity);
    if (!responses[0]) {
      Error error = responses[0].error();
      if (error.kind == ErrorKind::kNotFound) {
        return fail(ErrorKind::kNotFound, "the archive {} has no suite {}",
                    shown_url(suite.source->uri), printable(suite.source->suite))
            .with_location(suite.source->at)
            .with_hint("suites are called by codename (bookworm), or by what they are (stable)");
      }
      return error;
    }
    if (!responses[1] && !suite.source->trusted) {
      return fail(ErrorKind::kPermission, "{} is not signed", suite.shown)
          .with_hint("a source may say Trusted: yes where nothing is to be verified");
    }
    return keep(suite, release.content(), signature.content(), "", "")
        .context("reading {}/Release", suite.shown);
  }

  Status read_local_release(Suite& suite) {
    suite.asks = false;
    const std::string folder = local_path(suite.url);
    auto both = files_.read(folder + "/InRelease", kMaxReleaseBytes);
    std::string signature;
    if (!both && both.error().kind == ErrorKind::kNotFound) {
      both = files_.read(folder + "/Release", kMaxReleaseBytes);
      signature = files_.read(folder + "/Release.gpg", kMaxReleaseBytes).value_or("");
      if (both && signature.empty() && !suite.source->trusted) {
        return fail(ErrorKind::kPermission, "it is not signed")
            .with_hint("a source may say Trusted: yes where nothing is to be verified");
      }
    }
    if (!both && both.error().kind == ErrorKind::kNotFound) {
      return fail(ErrorKind::kNotFound, "there is no Release").with_location(suite.source->at);
    }
    const std::string text = TRY(std::move(both));
    if (suite.cached && suite.cached->file_sha256 == Digest::of(text + signature).hex()) {
      return {};
    }
    return keep(suite, text, signature, "", "");
  }

  // Verified, then believed until something else comes.
  Status keep(Suite& suite, const std::string& file, const std::string& signature,
              const std::string& etag, const std::string& last_modified) {
    CachedRelease out;
    out.url = suite.shown;
    out.keys = identity(suite);
    out.file_sha256 = Digest::of(file + signature).hex();
    out.etag = etag;
    out.last_modified = last_modified;
    out.checked_at_ms = now_ms_;
    if (suite.cached) {
      out.indexes = suite.cached->indexes;
    }
    const bool clear_signed = file.starts_with("-----BEGIN PGP SIGNED MESSAGE-----");
    if (suite.source->trusted && !clear_signed) {
      out.text = file;
    } else if (!signature.empty()) {
      TRY(check_signature(file, signature, suite.keys, stop_));
      out.text = file;
    } else {
      out.text =
          TRY(suite.source->trusted ? text_within(file) : signed_text(file, suite.keys, stop_));
    }
    TRY(parse_release(out.text));
    TRY(write_cached_release(release_directory(), out));
    suite.cached = std::move(out);
    return {};
  }

  Status parse(Suite& suite) const {
    CHECK(suite.cached.has_value());
    suite.release = TRY(parse_release(suite.cached->text));
    TRY(check_name(suite));
    return check_dates(suite);
  }

  // A mirror that serves another suite under this name would pass every other check.
  static Status check_name(const Suite& suite) {
    const std::string_view asked = suite.source->suite;
    const Release& is = suite.release;
    const std::string_view start = asked.substr(0, asked.find('/'));
    if (suite.is_flat() || asked == is.codename || asked == is.suite || start == is.codename ||
        start == is.suite) {
      return {};
    }
    return fail(ErrorKind::kCorrupt, "it is of {} ({}), not of {}", printable(is.codename),
                printable(is.suite), printable(asked))
        .with_location(suite.source->at)
        .with_hint("the mirror serves another suite: try another, or name the one that it is");
  }

  Status check_dates(const Suite& suite) const {
    const Release& is = suite.release;
    if (is_dated(suite.source->uri) || !suite.source->check_valid_until) {
      return {};
    }
    if (is.valid_until_ms && *is.valid_until_ms < now_ms_) {
      return fail(ErrorKind::kUnavailable, "it expired at {}", to_rfc3339(*is.valid_until_ms))
          .with_hint(
              "the mirror is out of date, or this machine's clock is wrong; a source may "
              "say Check-Valid-Until: no");
    }
    if (is.date_ms > now_ms_ + kMsPerDay) {
      return fail(ErrorKind::kUnavailable, "it is of {}, which is still to come",
                  to_rfc3339(is.date_ms))
          .with_hint("look at this machine's clock");
    }
    return {};
  }

  // --- indexes

  Status want_indexes() {
    wanted_.clear();
    for (std::size_t i = 0; i < suites_.size(); ++i) {
      const Suite& suite = suites_[i];
      if (suite.is_flat()) {
        TRY(want(i, "", "Packages"));
        continue;
      }
      for (const std::string& component : suite.source->components) {
        TRY(want(i, component, fmt::format("{}/binary-{}/Packages", component, architecture_)));
        if (suite.release.all_apart) {
          TRY(want(i, component, component + "/binary-all/Packages"));
        }
      }
    }
    return {};
  }

  Status want(std::size_t place, const std::string& component, std::string path) {
    const Suite& suite = suites_[place];
    const ReleaseFile* const plain = suite.release.find(path);
    const Form* const form = form_of(suite.release, path);
    if (form == nullptr) {
      diagnostics_.warn("apt-no-component", suite.source->at,
                        fmt::format("{} has no {}", suite.shown, printable(path)));
      return {};
    }
    const ReleaseFile* const key =
        plain != nullptr ? plain : suite.release.find(path + std::string(form->ending));
    Wanted out;
    out.suite = place;
    out.component = component;
    out.path = std::move(path);
    out.index = fmt::format("{}-v{}.idx", key->sha256.hex(), package_index_layout::kVersion);
    if (auto opened = PackageIndex::open(index_directory() + "/" + out.index)) {
      out.opened = std::move(*opened);
    }
    wanted_.push_back(std::move(out));
    return {};
  }

  static const Form* form_of(const Release& release, const std::string& path) {
    const auto* const found = std::ranges::find_if(kForms, [&](const Form& form) {
      return release.find(path + std::string(form.ending)) != nullptr;
    });
    return found == kForms.end() ? nullptr : found;
  }

  Status make_indexes() {
    std::vector<Wanted*> making;
    std::vector<std::unique_ptr<io::StringSink>> sinks;
    std::vector<io::HttpRequest> requests;
    for (Wanted& one : wanted_) {
      const Suite& suite = suites_[one.suite];
      if (one.opened || is_local(suite.url)) {
        continue;
      }
      if (options_.offline) {
        return fail(ErrorKind::kUnavailable, "offline, and {} of {} is not cached", one.path,
                    suite.shown)
            .with_hint("run once with a network");
      }
      const ReleaseFile& file = file_of(one);
      sinks.push_back(std::make_unique<io::StringSink>());
      io::HttpRequest request;
      if (suite.release.by_hash) {
        request.urls.push_back(url_of(fmt::format("{}/{}by-hash/SHA256/{}", suite.url,
                                                  folder_of(file.path), file.sha256.hex())));
      }
      request.urls.push_back(url_of(suite.url + "/" + file.path));
      request.sink = sinks.back().get();
      request.name = suite.source->suite + " " + one.component;
      request.expected_bytes = file.size_bytes;
      request.limit_bytes = std::min(file.size_bytes, kMaxPackagesBytes);
      request.hash_is_checked = true;
      requests.push_back(std::move(request));
      making.push_back(&one);
    }
    const auto responses = client_.run(requests, stop_, progress_, kActivity);
    for (std::size_t i = 0; i < making.size(); ++i) {
      const Suite& suite = suites_[making[i]->suite];
      if (!responses[i]) {
        Error error = responses[i].error();
        // Larger than the Release says.
        error.kind = error.kind == ErrorKind::kInvalid ? ErrorKind::kCorrupt : error.kind;
        error.message = fmt::format("the index {} of {} cannot be fetched: {}",
                                    file_of(*making[i]).path, suite.shown, error.message);
        return error;
      }
      TRY(make(*making[i], sinks[i]->content()));
    }
    return make_local_indexes();
  }

  Status make_local_indexes() {
    for (Wanted& one : wanted_) {
      const Suite& suite = suites_[one.suite];
      if (!one.opened && is_local(suite.url)) {
        TRY(make(one, TRY(files_.read(local_path(suite.url) + "/" + file_of(one).path,
                                      kMaxPackagesBytes))));
      }
    }
    return {};
  }

  static std::string folder_of(std::string_view path) {
    return std::string(path.substr(0, path.rfind('/') + 1));  // npos + 1 is 0
  }

  const ReleaseFile& file_of(const Wanted& one) const {
    const Release& release = suites_[one.suite].release;
    const Form* const form = form_of(release, one.path);
    CHECK(form != nullptr);
    return *release.find(one.path + std::string(form->ending));
  }

  static Status check(const ReleaseFile& file, std::string_view content, const Suite& suite) {
    std::string wrong;
    if (file.size_bytes != content.size()) {
      wrong = fmt::format("it has {} bytes, not {}", content.size(), file.size_bytes);
    } else if (const Digest digest = Digest::of(content); digest != file.sha256) {
      wrong = fmt::format("its sha256 is {}, not {}", digest.hex(), file.sha256.hex());
    }
    return wrong.empty()
               ? Status()
               : Status(fail(ErrorKind::kCorrupt, "{} of {} is not what its Release says: {}",
                             printable(file.path), suite.shown, wrong)
                            .with_hint("the mirror is being updated, or serves something "
                                       "else: try later, or another one"));
  }

  Status make(Wanted& one, const std::string& content) {
    const Suite& suite = suites_[one.suite];
    const ReleaseFile& file = file_of(one);
    TRY(check(file, content, suite));
    const Form* const form = form_of(suite.release, one.path);
    const ReleaseFile* const plain = suite.release.find(one.path);
    std::string text;
    if (form->compression == io::Compression::kNone) {
      text = content;
    } else {
      io::MemoryReader packed(content);
      const auto reader = io::decompress(packed, form->compression);
      text = TRY(io::read_all(*reader, plain != nullptr ? plain->size_bytes : kMaxPackagesBytes)
                     .context("reading {} of {}", file.path, suite.shown));
      if (plain != nullptr) {
        TRY(check(*plain, text, suite));
      }
    }
    const std::string bytes =
        TRY(make_package_index(text).context("in {} of {}", file.path, suite.shown));
    const std::string path = index_directory() + "/" + one.index;
    TRY(io::make_directories(index_directory()));
    TRY(io::write_file_atomically(path, bytes));
    one.opened = TRY(PackageIndex::open(path));
    return {};
  }

  // --- the end

  Result<Archives> result() {
    Archives out;
    for (std::size_t i = 0; i < suites_.size(); ++i) {
      forget_old_indexes(i);
      Suite& suite = suites_[i];
      OpenedRelease opened;
      opened.uri = is_local(suite.source->uri) ? suite.source->uri : shown_url(suite.source->uri);
      opened.suite = suite.source->suite;
      opened.components = suite.source->components;
      opened.sha256 = Digest::of(suite.cached->text).hex();
      opened.release = std::move(suite.release);
      out.releases.push_back(std::move(opened));
    }
    for (Wanted& one : wanted_) {
      const OpenedRelease& release = out.releases[one.suite];
      PackageSource source;
      source.index = std::move(*one.opened);
      source.uri = suites_[one.suite].is_flat() ? release.uri + "/" + without_slash(release.suite)
                                                : release.uri;
      source.suite = release.suite;
      source.codename = release.release.codename;
      source.suite_name = release.release.suite;
      source.component = one.component;
      source.priority = release.release.priority();
      out.packages.push_back(std::move(source));
    }
    return out;
  }

  // Those that this suite had and has no more; what cannot be removed costs space, nothing else.
  void forget_old_indexes(std::size_t place) {
    CachedRelease& cached = *suites_[place].cached;
    std::vector<std::string> now;
    for (const Wanted& one : wanted_) {
      if (one.suite == place) {
        now.push_back(one.index);
      }
    }
    if (now == cached.indexes) {
      return;
    }
    for (const std::string& old : cached.indexes) {
      const bool used =
          std::ranges::any_of(wanted_, [&](const Wanted& one) { return one.index == old; });
      if (!used && !old.contains('/')) {
        ::unlink((index_directory() + "/" + old).c_str());
      }
    }
    cached.indexes = std::move(now);
    (void)write_cached_release(release_directory(), cached);
  }

  const std::string& directory_;
  io::HttpClient& client_;
  FileSource& files_;
  std::int64_t now_ms_;
  const ArchiveOptions& options_;
  const std::stop_token& stop_;
  Progress& progress_;
  Diagnostics& diagnostics_;
  AptAuth auth_;
  std::string architecture_;
  std::vector<Suite> suites_;
  std::vector<Wanted> wanted_;
};

}  // namespace

ArchiveCache::ArchiveCache(std::string directory, io::HttpClient& client, FileSource& files,
                           Clock& clock)
    : directory_(std::move(directory)), client_(client), files_(files), clock_(clock) {}

Result<Archives> ArchiveCache::open(std::span<const AptSource> sources,
                                    std::string_view architecture, const ArchiveOptions& options,
                                    const std::stop_token& stop, Progress& progress,
                                    Diagnostics& diagnostics) {
  return Opening(directory_, client_, files_, clock_.now_ms(), options, stop, progress, diagnostics)
      .run(sources, architecture);
}

Result<std::string> debian_architecture(std::string_view platform) {
  if (platform == "linux-64") {
    return std::string("amd64");
  }
  if (platform == "linux-aarch64") {
    return std::string("arm64");
  }
  return fail(ErrorKind::kUnsupported, "Debian packages for {} are not known here",
              printable(platform));
}

}  // namespace cloche::source
