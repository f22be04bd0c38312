// A hash of short texts that is the same on every machine and in every version: it stands in files.
#pragma once

#include <cstdint>
#include <string_view>

namespace cloche::source {

// FNV-1a, 32 bits.
inline std::uint32_t text_hash(std::string_view text) {
  constexpr std::uint32_t kOffset = 2166136261U;
  constexpr std::uint32_t kPrime = 16777619U;
  std::uint32_t out = kOffset;
  for (const char c : text) {
    out = (out ^ static_cast<unsigned char>(c)) * kPrime;
  }
  return out;
}

}  // namespace cloche::source
