#include "image/registry_client.h"

#include <algorithm>
#include <list>
#include <mutex>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/files.h"
#include "core/text.h"
#include "image/blob_download.h"
#include "image/blob_upload.h"
#include "image/layout.h"
#include "image/media_type.h"
#include "image/registry_session.h"
#include "io/disk_files.h"

namespace cloche::image {
namespace {

constexpr std::string_view kDockerHub = "docker.io";
constexpr std::string_view kDockerHubApi = "registry-1.docker.io";
constexpr std::size_t kMaxTagPages = 20;

bool is_loopback(std::string_view registry) {
  if (registry.starts_with("[::1]")) {
    return true;
  }
  const std::string host = to_lower(registry.substr(0, registry.rfind(':')));
  const bool address =
      std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return host == "localhost" || (address && host.starts_with("127."));
}

std::string accepted() {
  return fmt::format("{}, {}, {}, {}", kOciIndex, kOciManifest, kDockerManifestList,
                     kDockerManifest);
}

std::string tag_or_digest(const oci::Reference& reference) {
  if (!reference.digest.empty()) {
    return reference.digest;
  }
  return reference.tag.empty() ? "latest" : reference.tag;
}

Scopes pull_scope(const std::string& repository) { return {"repository:" + repository + ":pull"}; }

// The certificates that docker trusts for a host: ca.crt, or the first that there is.
std::string certificate_for(const std::string& folder, const std::string& host) {
  const std::string place = join_path(folder, host);
  const auto entries = io::DiskFiles().list(place);
  std::string first;
  if (entries) {
    for (const FileEntry& entry : *entries) {
      if (entry.name == "ca.crt") {
        return join_path(place, entry.name);
      }
      if (first.empty() && entry.name.ends_with(".crt")) {
        first = join_path(place, entry.name);
      }
    }
  }
  return first;
}

// A manifest or an index, as it came.
struct Document {
  std::string text;
  Descriptor descriptor;
};

}  // namespace

class RegistryClient::State {
 public:
  explicit State(RegistryOptions options) : options_(std::move(options)) {
    options_.http.netrc_file.clear();  // a registry's own credentials only
  }

  const RegistryOptions& options() const { return options_; }
  std::mutex& mutex() { return mutex_; }

  // The session with a host; made when it is first wanted.
  RegistrySession& session(const RegistryPlace& place) {
    const auto key = std::pair(place.registry, place.insecure);
    const auto found = sessions_.find(key);
    if (found != sessions_.end()) {
      return *found->second;
    }
    const std::string certificate = certificate_for(options_.certificates, place.registry);
    RegistrySession::Settings settings;
    settings.host = place.registry;
    settings.api_host = place.registry == kDockerHub ? kDockerHubApi : place.registry;
    settings.schemes = schemes(place, certificate);
    settings.credentials =
        [this, host = place.registry](
            const std::string& repository) -> Result<std::optional<RegistryCredentials>> {
      if (options_.credentials) {
        return options_.credentials;
      }
      return find_credentials(host, repository, options_.environment);
    };
    auto made =
        std::make_unique<RegistrySession>(std::move(settings), client(certificate, place.insecure));
    return *sessions_.emplace(key, std::move(made)).first->second;
  }

 private:
  // This machine itself is asked plainly first: a TLS server says at once that it is one, but a
  // plain one may wait for ever for the rest of what TLS begins with.
  std::vector<std::string> schemes(const RegistryPlace& place,
                                   const std::string& certificate) const {
    if (options_.plain_http) {
      return {"http"};
    }
    if (place.insecure) {
      return {"https", "http"};
    }
    if (is_loopback(place.registry) && certificate.empty()) {
      return {"http", "https"};
    }
    return {"https"};
  }

  io::HttpClient& client(const std::string& certificate, bool insecure) {
    std::unique_ptr<io::HttpClient>& one = clients_[std::pair(certificate, insecure)];
    if (one == nullptr) {
      io::HttpOptions http = options_.http;
      http.ca_file = certificate.empty() ? http.ca_file : certificate;
      http.verify_certificates = http.verify_certificates && !insecure;
      one = std::make_unique<io::HttpClient>(std::move(http));
    }
    return *one;
  }

  RegistryOptions options_;
  std::mutex mutex_;
  std::map<std::pair<std::string, bool>, std::unique_ptr<io::HttpClient>> clients_;
  std::map<std::pair<std::string, bool>, std::unique_ptr<RegistrySession>> sessions_;
};

namespace {

Result<std::vector<std::string>> list_tags(RegistrySession& session, const std::string& repository,
                                           const std::stop_token& stop) {
  std::vector<std::string> tags;
  std::string target = "tags/list?n=1000";
  for (std::size_t page = 0; page < kMaxTagPages && !target.empty(); ++page) {
    const RegistryAnswer answer =
        TRY(session.run_one({.target = target, .limit_bytes = kMaxManifestBytes}, repository,
                            pull_scope(repository), stop));
    if (answer.response.status != 200) {
      return session.error_of(answer, repository, "listing the tags");
    }
    const Json json = TRY(parse_json(answer.body).context("in the tags of {}", repository));
    if (json["tags"].is_array()) {
      for (const Json& tag : json["tags"].items()) {
        tags.push_back(tag.is_string() ? tag.as_string() : "");
      }
    }
    // Link: </v2/name/tags/list?n=1000&last=x>; rel="next" (RFC 5988)
    const std::string link = answer.response.header("link");
    const std::size_t begin = link.find('<');
    const std::size_t end = link.find('>');
    target = begin != std::string::npos && end != std::string::npos && begin < end
                 ? TRY(session.whole_url(link.substr(begin + 1, end - begin - 1)))
                 : "";
  }
  std::erase(tags, "");
  return tags;
}

// There is no such manifest: which tag may have been meant?
Error no_manifest(RegistrySession& session, const std::string& repository, const std::string& name,
                  Error error, const std::stop_token& stop) {
  const auto tags = list_tags(session, repository, stop);
  if (!tags) {
    if (tags.error().kind == ErrorKind::kNotFound) {
      error.message = fmt::format("{}: there is no repository {}", session.host(), repository);
      error.hint = "check its name";
    }
    return error;
  }
  error.message =
      fmt::format("{}: {} has no image {}", session.host(), repository, printable(name));
  const std::vector<std::string_view> views(tags->begin(), tags->end());
  if (const std::string_view near = nearest(name, views); !near.empty()) {
    error.hint = fmt::format("did you mean {}:{}?", repository, printable(near));
  } else {
    constexpr std::size_t kShown = 8;
    const std::vector<std::string> some(
        tags->end() - static_cast<std::ptrdiff_t>(std::min(kShown, tags->size())), tags->end());
    error.hint = tags->empty() ? "it has no tags"
                               : fmt::format("it has {} tags: {}{}", tags->size(),
                                             tags->size() > kShown ? "..., " : "",
                                             printable(join(some, ", ")));
  }
  return error;
}

Result<Document> fetch_manifest(RegistrySession& session, const std::string& repository,
                                const std::string& name, const std::stop_token& stop) {
  const RegistryAnswer answer = TRY(session.run_one({.target = "manifests/" + name,
                                                     .headers = {{"Accept", accepted()}},
                                                     .limit_bytes = kMaxManifestBytes},
                                                    repository, pull_scope(repository), stop));
  if (answer.response.status == 404) {
    return no_manifest(session, repository, name,
                       session.error_of(answer, repository, "the image " + name), stop);
  }
  if (answer.response.status != 200) {
    return session.error_of(answer, repository, "the image " + name);
  }
  Document document{.text = answer.body, .descriptor = {}};
  document.descriptor.digest = Digest::of(document.text);
  document.descriptor.size_bytes = document.text.size();
  // The promise of the name, or else the registry's own.
  const std::string promised =
      name.contains(':') ? name : answer.response.header("docker-content-digest");
  const std::string is = document.descriptor.digest.to_string();
  if (!promised.empty() && promised != is && promised.starts_with("sha256:")) {
    return fail(ErrorKind::kCorrupt, "{}: {}: the manifest that was sent is {}, not {}",
                session.host(), repository, is, printable(promised.substr(0, 100)))
        .with_hint("the registry is damaged, or somebody changes what it sends");
  }
  std::string media_type =
      TRY(document_media_type(document.text)
              .context("in the manifest {} of {}/{}", name, session.host(), repository));
  TRY(check_document_type(*parse_json(document.text), answer.response.header("content-type"),
                          is_index(media_type)));
  document.descriptor.media_type = std::move(media_type);
  return document;
}

struct Fetched {
  ResolvedImage image;
  Document index;  // empty when there is none
  Document manifest;
  Manifest parsed;
};

Result<Fetched> fetch_image(RegistrySession& session, const RegistryPlace& place,
                            const oci::Reference& reference, const Platform& platform,
                            const std::stop_token& stop) {
  Fetched fetched;
  fetched.image.reference = reference;
  fetched.manifest = TRY(fetch_manifest(session, place.repository, tag_or_digest(reference), stop));
  if (is_index(fetched.manifest.descriptor.media_type)) {
    fetched.index = std::move(fetched.manifest);
    const ImageIndex index = TRY(parse_image_index(fetched.index.text));
    const Descriptor picked =
        TRY(index.pick(platform).context("in {}/{}", session.host(), place.repository));
    fetched.image.index = fetched.index.descriptor.digest;
    fetched.manifest =
        TRY(fetch_manifest(session, place.repository, picked.digest.to_string(), stop));
    fetched.manifest.descriptor.platform = picked.platform;
  }
  fetched.parsed = TRY(parse_manifest(fetched.manifest.text)
                           .context("in the manifest of {}/{}", session.host(), place.repository));
  fetched.image.manifest = fetched.manifest.descriptor;
  fetched.image.reference.digest = fetched.manifest.descriptor.digest.to_string();
  return fetched;
}

Result<PulledImage> pull_from(RegistrySession& session, const RegistryPlace& place,
                              const oci::Reference& reference, const Platform& platform,
                              const blob::BlobStore& store, const PullOptions& options,
                              const std::stop_token& stop, Progress& progress) {
  Fetched fetched = TRY(fetch_image(session, place, reference, platform, stop));
  PulledImage image{
      .resolved = std::move(fetched.image), .manifest = std::move(fetched.parsed), .config = {}};
  const BlobDownload download(session, place.repository, store);
  if (image.manifest.config.size_bytes > kMaxConfigBytes) {
    return fail(ErrorKind::kInvalid, "the image's config has {} bytes, where at most {} are read",
                image.manifest.config.size_bytes, kMaxConfigBytes);
  }
  image.fetched_bytes = TRY(download.run({&image.manifest.config, 1}, stop, progress));
  image.config = TRY(read_image_config(store, image.manifest.config));
  TRY(check_layers(image.manifest, image.config));
  if (suits(image.config.platform, platform) == 0) {
    return fail(ErrorKind::kNotFound, "{} is an image for {}, not for {}", reference.familiar(),
                image.config.platform.to_string(), platform.to_string());
  }
  if (options.layers) {
    image.fetched_bytes += TRY(download.run(image.manifest.layers, stop, progress));
  }
  // Last, so that a manifest that is there has what it names.
  TRY(store.put(fetched.manifest.text));
  if (!image.resolved.index.empty()) {
    TRY(store.put(fetched.index.text));
  }
  image.resolved.manifest.platform = image.config.platform;
  return image;
}

// At each place in turn; the last one's error counts.
template <class T, class Attempt>
Result<T> at_each(const std::vector<RegistryPlace>& places, const Attempt& attempt) {
  Result<T> result = attempt(places.front());
  for (std::size_t i = 1; i < places.size(); ++i) {
    if (result || result.error().kind == ErrorKind::kCancelled) {
      break;
    }
    result = attempt(places[i]);
  }
  return result;
}

}  // namespace

Result<RegistryOptions> registry_options(const std::map<std::string, std::string>& environment) {
  RegistryOptions options;
  options.http = io::http_options(environment);
  options.environment = environment;
  options.registries = TRY(load_registries_conf(environment));
  return options;
}

RegistryClient::RegistryClient(RegistryOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}

RegistryClient::~RegistryClient() = default;

Result<ResolvedImage> RegistryClient::resolve(const oci::Reference& reference,
                                              const Platform& platform,
                                              const std::stop_token& stop) {
  const std::lock_guard lock(state_->mutex());
  const auto places = TRY(state_->options().registries.places(reference));
  return at_each<ResolvedImage>(places, [&](const RegistryPlace& place) -> Result<ResolvedImage> {
    return TRY(fetch_image(state_->session(place), place, reference, platform, stop)).image;
  });
}

Result<PulledImage> RegistryClient::pull(const oci::Reference& reference, const Platform& platform,
                                         const blob::BlobStore& store, const PullOptions& options,
                                         const std::stop_token& stop, Progress& progress) {
  const std::lock_guard lock(state_->mutex());
  const auto places = TRY(state_->options().registries.places(reference));
  return at_each<PulledImage>(places, [&](const RegistryPlace& place) {
    return pull_from(state_->session(place), place, reference, platform, store, options, stop,
                     progress);
  });
}

Result<std::vector<std::string>> RegistryClient::tags(const oci::Reference& repository,
                                                      const std::stop_token& stop) {
  const std::lock_guard lock(state_->mutex());
  const RegistryPlace place = TRY(state_->options().registries.place(repository));
  return list_tags(state_->session(place), place.repository, stop);
}

namespace {

// One push: where to, and what came of it.
class Push {
 public:
  Push(RegistrySession& session, RegistryPlace place, const blob::BlobStore& store)
      : session_(session), place_(std::move(place)), store_(store) {
    scopes_ = {"repository:" + place_.repository + ":pull,push"};
  }

  Status send(const Descriptor& image, const std::string& name,
              const std::vector<UploadSource>& sources, const std::stop_token& stop,
              Progress& progress) {
    const std::string text = TRY(store_.read(image.digest, kMaxManifestBytes));
    const std::string media_type = TRY(document_media_type(text));
    if (is_index(media_type)) {
      const ImageIndex index = TRY(parse_image_index(text));
      for (const Descriptor& one : index.manifests) {
        TRY(send(one, one.digest.to_string(), sources, stop, progress));
      }
    } else {
      const Manifest manifest = TRY(parse_manifest(text));
      const std::set<Digest> there = TRY(named_now(name, stop));
      TRY(send_blobs(manifest, there, sources, stop, progress));
      const RegistryAnswer answer = TRY(put(text, media_type, name, stop));
      if (there.empty() || answer.response.status < 400 || answer.response.status >= 500) {
        return check_stored(answer, text, name);
      }
      // The registry lacks what its own manifest names.
      TRY(send_blobs(manifest, {}, sources, stop, progress));
    }
    return check_stored(TRY(put(text, media_type, name, stop)), text, name);
  }

  PushedImage pushed;

 private:
  // What the manifest that has the name now is made of, which one question for each blob would tell
  // as well. None where there is no such manifest, or none that can be read.
  Result<std::set<Digest>> named_now(const std::string& name, const std::stop_token& stop) {
    const RegistryAnswer answer = TRY(session_.run_one({.target = "manifests/" + name,
                                                        .headers = {{"Accept", accepted()}},
                                                        .limit_bytes = kMaxManifestBytes},
                                                       place_.repository, scopes_, stop));
    std::set<Digest> out;
    if (answer.response.status != 200) {
      return out;
    }
    if (const auto manifest = parse_manifest(answer.body)) {
      for (const Descriptor& layer : manifest->layers) {
        out.insert(layer.digest);
      }
      out.insert(manifest->config.digest);
    }
    return out;
  }

  Status send_blobs(const Manifest& manifest, const std::set<Digest>& there,
                    const std::vector<UploadSource>& sources, const std::stop_token& stop,
                    Progress& progress) {
    std::vector<Descriptor> blobs = manifest.layers;
    blobs.push_back(manifest.config);
    BlobUpload upload(session_, place_.repository, store_, sources);
    const UploadCounts counts = TRY(upload.run(blobs, there, stop, progress));
    pushed.present += counts.present;
    pushed.mounted += counts.mounted;
    pushed.uploaded += counts.uploaded;
    pushed.uploaded_bytes += counts.uploaded_bytes;
    return {};
  }

  Result<RegistryAnswer> put(const std::string& text, const std::string& media_type,
                             const std::string& name, const std::stop_token& stop) {
    io::StringSource body(text);
    return session_.run_one({.method = "PUT",
                             .target = "manifests/" + name,
                             .headers = {{"Content-Type", media_type}},
                             .body = &body},
                            place_.repository, scopes_, stop);
  }

  Status check_stored(const RegistryAnswer& answer, const std::string& text,
                      const std::string& name) {
    if (answer.response.status != 201 && answer.response.status != 200) {
      return session_.error_of(answer, place_.repository, "sending the manifest " + name);
    }
    pushed.digest = Digest::of(text);
    const std::string has = answer.response.header("docker-content-digest");
    if (has.starts_with("sha256:") && has != pushed.digest.to_string()) {
      return fail(ErrorKind::kCorrupt, "{}: {}: the registry stored {} instead of {}",
                  session_.host(), place_.repository, printable(has.substr(0, 100)),
                  pushed.digest.to_string());
    }
    return {};
  }

  RegistrySession& session_;
  RegistryPlace place_;
  const blob::BlobStore& store_;
  Scopes scopes_;
};

}  // namespace

Result<PushedImage> RegistryClient::push(const blob::BlobStore& store, const Descriptor& image,
                                         const oci::Reference& to, const PushOptions& options,
                                         const std::stop_token& stop, Progress& progress) {
  const std::lock_guard lock(state_->mutex());
  if (!to.digest.empty() && to.digest != image.digest.to_string()) {
    return fail(ErrorKind::kInvalid, "{} names another image than the one to be sent, {}",
                to.familiar(), image.digest.to_string())
        .with_hint("leave the digest out");
  }
  const RegistryPlace place = TRY(state_->options().registries.place(to));
  std::vector<UploadSource> sources;
  for (const oci::Reference& source : options.sources) {
    const RegistryPlace there = TRY(state_->options().registries.place(source));
    sources.push_back({.session = &state_->session(there), .repository = there.repository});
  }
  Push push(state_->session(place), place, store);
  const bool by_digest = !to.digest.empty() && to.tag.empty();
  TRY(push.send(image,
                by_digest        ? to.digest
                : to.tag.empty() ? "latest"
                                 : to.tag,
                sources, stop, progress));
  return push.pushed;
}

}  // namespace cloche::image
