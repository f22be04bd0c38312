#include "source/debian/suite_release.h"

#include <memory>

#include <fmt/format.h>

#include "core/check.h"
#include "core/credentials.h"
#include "core/text.h"

namespace cloche::source {
namespace {

constexpr std::int64_t kMsPerHour = 3'600'000;
constexpr std::int64_t kFreshMs = kMsPerHour;
constexpr std::int64_t kMsPerDay = 24 * kMsPerHour;
constexpr std::uint64_t kMaxReleaseBytes = std::uint64_t{32} << 20U;

std::string suite_url(const AptSource& source) {
  return source.suite.ends_with('/') ? source.uri + "/" + without_slash(source.suite)
                                     : source.uri + "/dists/" + source.suite;
}

// A mirror that serves another suite under this name would pass every other check.
Status check_name(const Suite& suite) {
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

}  // namespace

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

Result<Suite> SuiteReleases::begin(const AptSource& source) const {
  Suite suite;
  suite.source = &source;
  suite.url = suite_url(source);
  suite.shown = is_local(suite.url) ? suite.url : shown_url(suite.url);
  if (!source.trusted) {
    suite.keys = TRY(trusted_keys(source, files_));
  }
  suite.cached = read_cached_release(directory_, suite.shown);
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
  return suite;
}

io::HttpUrl SuiteReleases::url_of(std::string url) const {
  std::vector<io::HttpHeader> told = auth_.headers(url);
  return {.url = std::move(url), .headers = std::move(told)};
}

std::string SuiteReleases::identity(const Suite& suite) {
  return suite.source->trusted ? "" : suite.keys.identity();
}

Status SuiteReleases::fetch(std::span<Suite> suites) {
  std::vector<Suite*> asking;
  std::vector<std::unique_ptr<io::StringSink>> sinks;
  std::vector<io::HttpRequest> requests;
  for (Suite& suite : suites) {
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
  const auto responses = client_.run(requests, stop_, progress_, kFetchingArchives);
  for (std::size_t i = 0; i < asking.size(); ++i) {
    TRY(take_release(*asking[i], responses[i], sinks[i]->content()));
  }
  for (Suite& suite : suites) {
    TRY(parse(suite).context("in the Release of {}", suite.shown));
  }
  return {};
}

Status SuiteReleases::take_release(Suite& suite, const Result<io::HttpResponse>& response,
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
    return write_cached_release(directory_, *suite.cached);
  }
  return keep(suite, content, "", response->etag, response->last_modified)
      .context("reading {}/InRelease", suite.shown);
}

// An archive of the old kind: Release, and its signature beside it.
Status SuiteReleases::take_detached(Suite& suite) {
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
  const auto responses = client_.run(requests, stop_, progress_, kFetchingArchives);
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

Status SuiteReleases::read_local_release(Suite& suite) {
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
Status SuiteReleases::keep(Suite& suite, const std::string& file, const std::string& signature,
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
  TRY(write_cached_release(directory_, out));
  suite.cached = std::move(out);
  return {};
}

Status SuiteReleases::parse(Suite& suite) const {
  CHECK(suite.cached.has_value());
  suite.release = TRY(parse_release(suite.cached->text));
  TRY(check_name(suite));
  return check_dates(suite);
}

Status SuiteReleases::check_dates(const Suite& suite) const {
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

}  // namespace cloche::source
