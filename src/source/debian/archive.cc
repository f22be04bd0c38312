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
#include "source/debian/release_cache.h"
#include "source/debian/suite_release.h"

namespace cloche::source {
namespace {

constexpr std::uint64_t kMaxPackagesBytes = std::uint64_t{1} << 30U;

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
        options_(options),
        stop_(stop),
        progress_(progress),
        diagnostics_(diagnostics),
        releases_(directory + "/release", client, files, now_ms, options, stop, progress) {}

  Result<Archives> run(std::span<const AptSource> sources, std::string_view architecture) {
    architecture_ = architecture;
    for (const AptSource& source : sources) {
      TRY(begin(source));
    }
    TRY(releases_.fetch(suites_));
    TRY(want_indexes());
    if (const Status made = make_indexes(); !made) {
      // The archive may have changed between its Release and its index.
      if (made.error().kind != ErrorKind::kCorrupt || options_.offline) {
        return made.error();
      }
      for (Suite& suite : suites_) {
        suite.asks = true;
      }
      TRY(releases_.fetch(suites_));
      TRY(want_indexes());
      TRY(make_indexes());
    }
    return result();
  }

 private:
  Status begin(const AptSource& source) {
    const auto& only = source.architectures;
    if (only.empty() || std::ranges::find(only, architecture_) != only.end()) {
      suites_.push_back(TRY(releases_.begin(source)));
    }
    return {};
  }

  std::string index_directory() const { return directory_ + "/index"; }

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
        request.urls.push_back(releases_.url_of(fmt::format(
            "{}/{}by-hash/SHA256/{}", suite.url, folder_of(file.path), file.sha256.hex())));
      }
      request.urls.push_back(releases_.url_of(suite.url + "/" + file.path));
      request.sink = sinks.back().get();
      request.name = suite.source->suite + " " + one.component;
      request.expected_bytes = file.size_bytes;
      request.limit_bytes = std::min(file.size_bytes, kMaxPackagesBytes);
      request.hash_is_checked = true;
      requests.push_back(std::move(request));
      making.push_back(&one);
    }
    const auto responses = client_.run(requests, stop_, progress_, kFetchingArchives);
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
    (void)write_cached_release(releases_.directory(), cached);
  }

  const std::string& directory_;
  io::HttpClient& client_;
  FileSource& files_;
  const ArchiveOptions& options_;
  const std::stop_token& stop_;
  Progress& progress_;
  Diagnostics& diagnostics_;
  SuiteReleases releases_;
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
