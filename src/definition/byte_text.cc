#include "definition/byte_text.h"

#include <optional>

#include "core/text.h"

namespace cloche::definition {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const std::size_t high = kDigits.find(hex[i]);
    const std::size_t low = kDigits.find(hex[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return std::nullopt;
    }
    out += static_cast<char>((high * 16) + low);
  }
  return hex.size() % 2 == 0 ? std::optional(out) : std::nullopt;
}

}  // namespace

Json text_to_json(std::string_view text) {
  if (is_valid_utf8(text)) {
    return text;
  }
  return Json::object().set("hex", to_hex(text));
}

Result<std::string> text_from_json(const Json& json) {
  if (json.is_string()) {
    return json.as_string();
  }
  const Json* hex = json.find("hex");
  if (hex == nullptr || !hex->is_string() || json.members().size() != 1) {
    return fail(ErrorKind::kCorrupt, "not a text");
  }
  std::optional<std::string> bytes = from_hex(hex->as_string());
  if (!bytes || is_valid_utf8(*bytes)) {
    return fail(ErrorKind::kCorrupt, "not the hex form of a text");
  }
  return std::move(*bytes);
}

}  // namespace cloche::definition
