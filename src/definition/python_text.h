// The text of a file as Python's tools decode and divide it, so that a file means here what it
// means to pip.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::definition {

// UTF-8 of a file's bytes: by its byte order mark (UTF-8, UTF-16), else by a coding line among the
// first two ("# -*- coding: latin-1 -*-", PEP 263), else UTF-8 (pip: utils/encoding.py). The mark
// is gone. kInvalid with the line: bytes that the encoding does not allow, or an unknown encoding.
Result<std::string> decode_python_text(std::string_view bytes, const std::string& file);

// The lines of str.splitlines: ended by LF, CR LF, CR, VT, FF, U+001C to U+001E, U+0085, U+2028 or
// U+2029. The views point into `text`.
std::vector<std::string_view> python_lines(std::string_view text);

// How many bytes the blank at the beginning has (what str.isspace calls so, within a line); else 0.
std::size_t python_blank_length(std::string_view text);

}  // namespace cloche::definition
