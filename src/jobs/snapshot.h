// The code of a job as it was when the job was submitted: files by content in the workspace's blob
// store, and a list of them whose digest is the code's. docs/formats/run-directory.md.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "blob/blob_store.h"
#include "core/digest.h"
#include "core/files.h"
#include "core/result.h"

namespace cloche::jobs {

struct SnapshotLimits {
  std::uint64_t bytes = std::uint64_t{1} << 30U;
  std::uint64_t entries = 20'000;
};

struct Snapshot {
  Digest digest;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t new_bytes = 0;  // of files that the store did not have
};

// Stores what lies below `directory`, but for what its .amlignore (else its .gitignore) leaves out,
// and for .git and .cloche. The same files give the same digest, and no file is stored twice.
// Links that stay inside are kept as links.
// kNotFound: no directory. kInvalid: over a limit (the largest entries in the details), a link that
// leads out, something that is neither file, folder nor link, a malformed ignore file, a file that
// changed meanwhile. kCancelled, kUnavailable.
Result<Snapshot> take_snapshot(const std::string& directory, FileSource& files,
                               const blob::BlobStore& store, const SnapshotLimits& limits,
                               const std::stop_token& stop);

// Puts the files into a directory that is there and empty. Nothing outside it is written.
// kNotFound, kCorrupt: the store lost or damaged it.
Status restore_snapshot(const Digest& digest, const blob::BlobStore& store,
                        const std::string& directory);

// The snapshot's own digest and those of its files: what must stay in the store.
Status visit_snapshot(const Digest& digest, const blob::BlobStore& store,
                      const std::function<void(const Digest&)>& visit);

}  // namespace cloche::jobs
