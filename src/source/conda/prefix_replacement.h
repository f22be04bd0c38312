// The placeholder that a package's files hold, replaced by the prefix where they are installed: the
// bytes that conda itself would write (conda: conda/core/portability.py, update_prefix).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::source {

enum class FileMode { kText, kBinary };  // CEP 34, file_mode

// One file, fed in pieces. Placeholders are found in UTF-8, UTF-16 and UTF-32 of either byte order,
// in that order, as conda looks for them.
//
// Text: every occurrence is replaced. A shebang line that is then longer than 127 bytes, or whose
// interpreter lies in a directory with a blank, becomes "#!/usr/bin/env NAME ARGUMENTS".
// Binary: within each string that ends with a NUL, every occurrence is replaced and the string is
// padded with NULs at its end, so the size stays. A string that no NUL ends is left alone.
//
// Holds no more than the placeholder's size, in text a first line of 64 KiB, in a binary the string
// that a placeholder is in.
class PrefixReplacement {
 public:
  using Output = std::function<Status(std::string_view)>;

  // `output` receives the new content in pieces.
  PrefixReplacement(FileMode mode, std::string_view placeholder, std::string_view prefix,
                    Output output);
  ~PrefixReplacement();
  PrefixReplacement(PrefixReplacement&&) noexcept;

  // kInvalid, binary only: the prefix is longer than the placeholder that it should replace, or a
  // string of more than 64 MiB holds a placeholder.
  Status append(std::string_view piece);

  // Call it once, at the end.
  Status finish();

  class Stage;

 private:
  std::unique_ptr<Stage> first_;  // each stage owns the one after it
};

// A whole file at once.
Result<std::string> replace_prefix(FileMode mode, std::string_view content,
                                   std::string_view placeholder, std::string_view prefix);

// conda's rule for a text whose first line is a shebang; anything else is returned unchanged.
std::string shorten_shebang(std::string_view text);

}  // namespace cloche::source
