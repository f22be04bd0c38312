// The repodata of a channel in a folder, read in place. For the fetchers of this folder only.
#pragma once

#include <cstdint>

#include "core/result.h"
#include "source/conda/repodata_fetch.h"

namespace cloche::source {

// The variant that was written last: an older indexer may have left the others behind. Reads no
// more than the directory, unless the file is so new that its stamp does not tell its bytes.
Result<RepodataFile> local_repodata(const ChannelSubdir& want, std::int64_t now_ms);

// kUnavailable: the file has changed since local_repodata().
Status check_unchanged(const RepodataFile& file);

}  // namespace cloche::source
