// Content-addressed files under one directory, laid out as an OCI image layout has them:
// <root>/blobs/sha256/<64 hex>; work in progress under <root>/tmp/.
//
// Safe for many threads and processes at once; a blob, once present, never changes. A crash leaves
// no partial blob, only a file under tmp/ that nobody believes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/digest.h"
#include "core/result.h"
#include "io/temporary.h"

namespace cloche::blob {

class BlobStore {
 public:
  // Takes content piece by piece; nothing is in the store until commit(). One thread.
  class Writer {
   public:
    // kUnavailable: the disk is full.
    Status append(std::string_view bytes);

    // Syncs and puts the blob into the store, or drops the copy when it is present. With
    // `expected`, kCorrupt when the content is another, and nothing is stored.
    Result<Digest> commit(const Digest& expected = {}) &&;

    // The same for what can be made again: the bytes are synced, the name is not, so a power cut
    // may take the blob away as a whole.
    Result<Digest> commit_to_cache() &&;

   private:
    friend class BlobStore;
    Writer(const BlobStore& store, io::TemporaryFile file);

    std::string root_;
    io::TemporaryFile file_;
    Hasher hasher_;
  };

  explicit BlobStore(std::string root);

  // Directories are made on the way. kPermission, kUnavailable.
  Result<Writer> writer() const;

  // Streams a file into the store. With `expected` it is only looked at when that is not present,
  // and kCorrupt when it holds something else.
  // kUnavailable: the disk is full. kNotFound: no such file. kInvalid: no regular file.
  Result<Digest> put_file(const std::string& path, const Digest& expected = {}) const;
  Result<Digest> put(std::string_view content) const;

  // Takes a file of the same file system, which the caller has read and synced, by renaming it;
  // drops it when the blob is present. It is the caller's word that it holds what the digest says.
  Status adopt(const std::string& path, const Digest& digest) const;

  // Takes a blob of another store: a second name for the same bytes where both are on one file
  // system, else a verified copy. kNotFound: the other one has it not; kCorrupt: it is damaged.
  Status link_from(const BlobStore& other, const Digest& digest) const;

  bool contains(const Digest& digest) const;

  // Whether it is there; then it counts as used now, so that no garbage collection takes it from
  // under a Lease (blob/lease.h), and evictions take others first. What finds a blob and goes on to
  // refer to it asks this, not contains(). put(), put_file(), adopt() and commit() do it by
  // themselves.
  bool use(const Digest& digest) const;

  // Waits until the blobs that are present are on disk: one that another process has just put may
  // not be. To be called before something durable refers to them.
  Status sync() const;

  const std::string& root() const { return root_; }

  // The blob's path, for reading or linking. kNotFound.
  Result<std::string> path(const Digest& digest) const;

  // The whole content, verified against the digest. kNotFound; kCorrupt; kInvalid: over the limit.
  Result<std::string> read(const Digest& digest, std::size_t limit_bytes) const;

 private:
  std::string place_of(const Digest& digest) const;

  std::string root_;
};

}  // namespace cloche::blob
