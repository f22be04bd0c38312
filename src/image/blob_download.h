// Blobs from a registry into a store. For registry_client.cc only.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

#include "blob/blob_store.h"
#include "core/progress.h"
#include "core/result.h"
#include "image/descriptor.h"
#include "image/registry_session.h"

namespace cloche::image {

class BlobDownload {
 public:
  // All three outlive it.
  BlobDownload(RegistrySession& session, const std::string& repository,
               const blob::BlobStore& store)
      : session_(session), repository_(repository), store_(store) {}

  // Fetches those that the store lacks, in parallel, and returns how many bytes came. What a broken
  // connection left is continued, also by another process later; what is not the content that its
  // digest says is thrown away (kCorrupt).
  Result<std::uint64_t> run(std::span<const Descriptor> blobs, const std::stop_token& stop,
                            Progress& progress) const;

 private:
  RegistrySession& session_;
  const std::string& repository_;
  const blob::BlobStore& store_;
};

}  // namespace cloche::image
