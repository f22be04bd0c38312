// repodata.json into an index (CEP 36, with CEP 15's base_url and CEP 48's v3), in one pass and in
// bounded memory, at the speed of simdjson.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/result.h"
#include "io/reader.h"
#include "source/conda/repodata_index_builder.h"

namespace cloche::source {

// Reads a whole document (decompressed) into the builder. An empty one counts as {} (CEP 36).
// `subdir` is where it was found: what the document says of itself wins, but another platform's
// document is refused. A key that is not known is skipped; so are v3's archives that are neither
// .conda nor .tar.bz2.
// kCorrupt: no JSON, cut short, or of another shape, with the byte where it was seen (that of the
// record or of one shortly before it); the builder is then of no use. So is an object of packages
// that stands there twice, which readers understand differently. kUnsupported: repodata_version
// above 2. And what the reader fails with. `window_bytes`: how much to look at together, for tests.
Status parse_repodata(io::Reader& source, std::string_view subdir, RepodataIndexBuilder& builder,
                      std::size_t window_bytes = std::size_t{512} << 10U);

}  // namespace cloche::source
