// repodata.json into an index (CEP 36, with CEP 15's base_url and CEP 48's v3), in one pass and in
// bounded memory, at the speed of simdjson.
#pragma once

#include <string_view>

#include "core/result.h"
#include "io/reader.h"
#include "source/conda/repodata_index_builder.h"

namespace cloche::source {

// Reads a whole document (decompressed) into the builder. An empty one counts as {} (CEP 36).
// `subdir` is where it was found: what the document says of itself wins, but another platform's
// document is refused. A key that is not known is skipped; so are v3's archives that are neither
// .conda nor .tar.bz2.
// kCorrupt: no JSON, cut short, or of another shape, with the byte where it was seen; the builder
// is then of no use. kUnsupported: repodata_version above 2. And what the reader fails with.
Status parse_repodata(io::Reader& source, std::string_view subdir, RepodataIndexBuilder& builder);

}  // namespace cloche::source
