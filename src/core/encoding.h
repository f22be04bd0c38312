// Bytes written with few characters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cloche {

// RFC 4648, section 4, with padding.
std::string to_base64(std::string_view bytes);

// The bytes, or nothing where the text is no base64; the padding may be missing.
std::optional<std::string> from_base64(std::string_view text);

// What may not stand in a URL's query or path segment as %XX (RFC 3986, section 2.3: all but
// letters, digits and - . _ ~).
std::string percent_encoded(std::string_view text);

}  // namespace cloche
