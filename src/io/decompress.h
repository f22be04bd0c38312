// Decompression of what arrives, in bounded memory.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/result.h"
#include "io/reader.h"

namespace cloche::io {

enum class Compression { kNone, kZstd, kBzip2, kGzip, kXz };

// By the ending of a name: .zst, .bz2, .gz, .tgz, .xz; anything else is kNone.
Compression compression_of(std::string_view name);

// By the first bytes of the content, of which six are enough: anything else is kNone.
Compression compression_of_content(std::string_view begin);

// Reads `source`, which outlives it, decompressed. Frames or streams one after another are read as
// one. Errors while reading: kCorrupt for damaged or truncated data, kUnsupported for a zstd window
// of more than 128 MB (2^27, what zstd --ultra -22 writes) or an xz dictionary that needs more than
// 160 MB (xz -9 needs 65), whatever the source says otherwise.
std::unique_ptr<Reader> decompress(Reader& source, Compression compression);

// The same, as the content says itself what it is.
Result<std::unique_ptr<Reader>> decompress_any(Reader& source);

}  // namespace cloche::io
