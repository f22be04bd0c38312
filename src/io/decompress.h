// Decompression of what arrives, in bounded memory.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/result.h"
#include "io/reader.h"

namespace cloche::io {

enum class Compression { kNone, kZstd, kBzip2 };

// By the ending of a name: .zst, .bz2; anything else is kNone.
Compression compression_of(std::string_view name);

// Reads `source`, which outlives it, decompressed. Frames or streams one after another are read as
// one. Errors while reading: kCorrupt for damaged or truncated data, kUnsupported for a zstd window
// of more than 128 MB (2^27, what zstd --ultra -22 writes), whatever the source says otherwise.
std::unique_ptr<Reader> decompress(Reader& source, Compression compression);

}  // namespace cloche::io
