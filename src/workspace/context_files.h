// The files of a build context between a directory, the blob store and another store.
#pragma once

#include <string>

#include "blob/blob_store.h"
#include "definition/environment.h"

namespace cloche::workspace {

// Copies the context's files from `root` into the store and clears `root`. Files that are present
// are not read again. kInvalid: a file changed since the context was read. kNotFound: it is gone,
// or there is no root and the store lacks it. Definitions without a context are left alone.
Status store_context(definition::Definition& definition, const blob::BlobStore& blobs);

// Copies what the definition's context needs from one store to another.
Status copy_context(const definition::Definition& definition, const blob::BlobStore& from,
                    const blob::BlobStore& to);

// Writes the files below `directory`, which is made when missing. Every path is checked and links
// are never followed, so nothing outside is touched even by a hostile list. Sockets and devices are
// left out. kConflict: something is there already. kCorrupt: a path that could leave the directory,
// or a damaged blob.
Status write_context(const definition::BuildContextBase& context, const blob::BlobStore& blobs,
                     const std::string& directory);

}  // namespace cloche::workspace
