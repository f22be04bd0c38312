// Container registries: images fetched into a store and sent from one, over the distribution API
// (github.com/opencontainers/distribution-spec, spec.md). docs/formats/registry.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "blob/blob_store.h"
#include "core/progress.h"
#include "core/result.h"
#include "image/config.h"
#include "image/image_index.h"
#include "image/manifest.h"
#include "image/registries_conf.h"
#include "image/registry_credentials.h"
#include "io/http_client.h"
#include "package/oci/reference.h"

namespace cloche::image {

struct RegistryOptions {
  io::HttpOptions http = {};  // ~/.netrc is not asked
  // HOME, DOCKER_CONFIG, REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR; PATH for credential helpers.
  std::map<std::string, std::string> environment = {};
  std::optional<RegistryCredentials> credentials = {};  // for every registry; else looked for
  RegistriesConf registries = {};                       // mirrors
  std::string certificates = "/etc/docker/certs.d";     // HOST[:PORT]/*.crt: who signs for a host
  bool plain_http = false;  // no TLS at all; else plain only to this machine
};

// The options of a process with this environment: proxies, certificates, registries.conf. kInvalid:
// a registries.conf that cannot be read.
Result<RegistryOptions> registry_options(const std::map<std::string, std::string>& environment);

struct ResolvedImage {
  Descriptor manifest;       // of the one platform
  Digest index;              // of the index that it was picked from; empty when there is none
  oci::Reference reference;  // as asked, with the manifest's digest
};

struct PullOptions {
  // Without its layers an image can be built on, and pushed to a registry that has them.
  bool layers = true;
};

struct PulledImage {
  ResolvedImage resolved;
  Manifest manifest;
  ImageConfig config;
  std::uint64_t fetched_bytes = 0;
};

struct PushOptions {
  // Where layers that the store lacks are, as in {base image's reference}: mounted within one
  // registry, else copied.
  std::vector<oci::Reference> sources = {};
};

struct PushedImage {
  Digest digest;
  std::size_t present = 0;  // blobs that the registry had
  std::size_t mounted = 0;  // that it had in another repository
  std::size_t uploaded = 0;
  std::uint64_t uploaded_bytes = 0;
};

// Safe for many threads, which take turns. Connections and tokens are kept as long as it lives.
//
// Errors name host and repository and say what to do:
//   kNotFound     no such repository or tag (with the nearest tag), or no image for the platform
//   kPermission   no credentials, or refused ones; a certificate that is not trusted
//   kCorrupt      the registry sent something else than its digest says: nothing of it is stored
//   kInvalid, kUnsupported   what was sent is no image, or one that is refused: see parse_manifest
//   kUnavailable  after the retries; kCancelled
class RegistryClient {
 public:
  explicit RegistryClient(RegistryOptions options = {});
  ~RegistryClient();

  // Which manifest the reference means now, for a platform. Nothing is stored. Without tag and
  // digest: "latest".
  Result<ResolvedImage> resolve(const oci::Reference& reference, const Platform& platform,
                                const std::stop_token& stop = {});

  // Fetches what the store lacks of manifest, config and layers, in parallel; what came of a blob
  // before the connection broke is continued. Media types stay. The caller holds a blob::Lease on
  // the store. A blob that another process fetches is waited for.
  Result<PulledImage> pull(const oci::Reference& reference, const Platform& platform,
                           const blob::BlobStore& store, const PullOptions& options,
                           const std::stop_token& stop, Progress& progress);

  // Sends a manifest, or an index with its manifests, and what the registry lacks of their blobs,
  // in parallel; an upload that breaks is continued where the registry kept it. Without a tag:
  // "latest", or only by digest where `to` has one, which must be this one's.
  Result<PushedImage> push(const blob::BlobStore& store, const Descriptor& image,
                           const oci::Reference& to, const PushOptions& options,
                           const std::stop_token& stop, Progress& progress);

  // The repository's tags, at most about 10,000 of them.
  Result<std::vector<std::string>> tags(const oci::Reference& repository,
                                        const std::stop_token& stop = {});

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace cloche::image
