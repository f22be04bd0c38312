// One version of an environment in one file, with the files of its build context.
// docs/formats/bundle.md specifies it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "blob/blob_store.h"
#include "definition/environment.h"
#include "lock/lock.h"

namespace cloche::workspace {

// What is in it. The locks are those of the definition, for one or several targets.
struct Bundle {
  definition::Environment environment;
  std::vector<lock::Lock> locks;
};

// Writes the file atomically. The same environment with the same locks gives the same bytes.
// Context files come from the store. kUnsupported: a file over 8 GiB, or a description over 8 MiB
// (some 40,000 files).
Status write_bundle(const Bundle& bundle, const blob::BlobStore& blobs, const std::string& path);

// Fills a buffer; fewer bytes than asked for only at the end.
using ReadBytes = std::function<Result<std::size_t>(char* buffer, std::size_t size)>;

// Reads a bundle: checks everything, puts context files into the store, and gives the environment
// with an empty context root, so that nothing of this machine is read in its name.
// kInvalid: not a bundle. kCorrupt: a damaged one. kUnsupported: made by a newer program.
Result<Bundle> read_bundle(const ReadBytes& read, const blob::BlobStore& blobs);
Result<Bundle> read_bundle_file(const std::string& path, const blob::BlobStore& blobs);

}  // namespace cloche::workspace
