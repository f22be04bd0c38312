// Blobs from a store to a registry. For registry_client.cc only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "blob/blob_store.h"
#include "core/progress.h"
#include "core/result.h"
#include "image/descriptor.h"
#include "image/registry_session.h"

namespace cloche::image {

// Another repository, which may have blobs that the store lacks.
struct UploadSource {
  RegistrySession* session = nullptr;
  std::string repository;
};

struct UploadCounts {
  std::size_t present = 0;
  std::size_t mounted = 0;
  std::size_t uploaded = 0;
  std::uint64_t uploaded_bytes = 0;
};

class BlobUpload {
 public:
  // All but the sources outlive it.
  BlobUpload(RegistrySession& session, const std::string& repository, const blob::BlobStore& store,
             std::vector<UploadSource> sources);

  // Asks which of them the registry lacks, but for `there`, which it is believed to have; mounts
  // what it has elsewhere, and sends the rest in parallel: each in one request, and where that
  // breaks, piece by piece from where the registry has it. kNotFound: neither the store nor a
  // source has a blob.
  Result<UploadCounts> run(std::span<const Descriptor> blobs, const std::set<Digest>& there,
                           const std::stop_token& stop, Progress& progress);

 private:
  Result<std::vector<Descriptor>> missing(const std::vector<Descriptor>& blobs,
                                          const std::stop_token& stop, Progress& progress);
  // Opens an upload for each; "" where the blob was mounted.
  Result<std::vector<std::string>> begin(std::span<const Descriptor> blobs,
                                         const std::stop_token& stop, Progress& progress);
  Status fetch(std::span<const Descriptor> blobs, const std::stop_token& stop, Progress& progress);
  Status send(std::span<const Descriptor> blobs, std::vector<std::string> locations,
              const std::stop_token& stop, Progress& progress);
  Status send_in_pieces(const Descriptor& blob, std::string location, const Error& reason,
                        const std::stop_token& stop, Progress& progress);
  Status send_rest(const Descriptor& blob, std::string location, std::uint64_t offset,
                   const std::stop_token& stop, Progress& progress);
  struct Kept {
    std::string location;
    std::uint64_t bytes = 0;
  };
  std::optional<Kept> ask_kept(const std::string& location, const std::stop_token& stop);

  RegistrySession& session_;
  const std::string& repository_;
  const blob::BlobStore& store_;
  std::vector<UploadSource> sources_;
  Scopes scopes_;
  UploadCounts counts_;
};

}  // namespace cloche::image
