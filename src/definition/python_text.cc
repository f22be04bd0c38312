#include "definition/python_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/text.h"

namespace cloche::definition {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80U | ((code >> shift) & 0x3fU));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool is_high(std::uint32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low(std::uint32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

// `pip freeze > requirements.txt` in Windows' PowerShell writes UTF-16.
Result<std::string> decode_utf16(std::string_view bytes, bool big_endian, const std::string& file) {
  const auto unit = [&](std::size_t at) {
    const auto first = static_cast<std::uint8_t>(bytes[at]);
    const auto second = static_cast<std::uint8_t>(bytes[at + 1]);
    return static_cast<std::uint32_t>(big_endian ? (first << 8U) | second : (second << 8U) | first);
  };
  const auto broken = [&] {
    return fail(ErrorKind::kInvalid, "the file begins like UTF-16 and is none")
        .with_location({file, 1, 0})
        .with_hint("save it as UTF-8");
  };
  if (bytes.size() % 2 != 0) {
    return broken();
  }
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    std::uint32_t code = unit(at);
    if (is_high(code) && at + 4 <= bytes.size() && is_low(unit(at + 2))) {
      at += 2;
      code = 0x10000U + ((code - 0xd800U) << 10U) + (unit(at) - 0xdc00U);
    } else if (is_high(code) || is_low(code)) {
      return broken();
    }
    append_utf8(out, code);
  }
  return out;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// The encoding that a coding line names, in lower case with '-' for '_'; "" for none.
std::string coding_line(std::string_view bytes) {
  for (int line = 0; line < 2 && !bytes.empty(); ++line) {
    const std::size_t end = bytes.find('\n');
    const std::string_view text = bytes.substr(0, end);
    const std::size_t coding = text.find("coding");
    const std::size_t mark = coding == std::string_view::npos ? coding : coding + 6;
    if (text.starts_with('#') && mark < text.size() && (text[mark] == ':' || text[mark] == '=')) {
      const std::string_view value = trim_left(text.substr(mark + 1));
      std::string name = to_lower(value.substr(0, value.find_first_of(" \t\r;\"'")));
      std::ranges::replace(name, '_', '-');
      return name;
    }
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  return "";
}

std::string decode_latin1(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    append_utf8(out, static_cast<unsigned char>(c));
  }
  return out;
}

Result<std::string> decode_by_name(std::string_view bytes, const std::string& name,
                                   const std::string& file) {
  static constexpr std::array<std::string_view, 5> kLatin1 = {"latin-1", "latin1", "iso-8859-1",
                                                              "iso8859-1", "l1"};
  static constexpr std::array<std::string_view, 4> kUtf8 = {"", "utf-8", "utf8", "utf-8-sig"};
  if (std::ranges::find(kLatin1, name) != kLatin1.end()) {
    return decode_latin1(bytes);
  }
  if (std::ranges::find(kUtf8, name) == kUtf8.end()) {
    return fail(ErrorKind::kInvalid, "the encoding {} is not known here",
                printable(name.substr(0, 40)))
        .with_location({file, 1, 0})
        .with_hint("save the file as UTF-8 and leave the coding line out");
  }
  int number = 1;
  for (const std::string_view line : split(bytes, '\n')) {
    if (!is_valid_utf8(line)) {
      return fail(ErrorKind::kInvalid, "the line is not valid UTF-8")
          .with_location({file, number, 0})
          .with_hint("save the file as UTF-8");
    }
    ++number;
  }
  return std::string(bytes);
}

// The bytes of a line end at the beginning of `text`; 0 when none is there.
std::size_t line_end_length(std::string_view text) {
  const char c = text.front();
  if (c == '\r') {
    return text.starts_with("\r\n") ? 2 : 1;
  }
  if (c == '\n' || c == '\v' || c == '\f' || (c >= '\x1c' && c <= '\x1e')) {
    return 1;
  }
  if (text.starts_with("\xc2\x85")) {
    return 2;
  }
  return text.starts_with("\xe2\x80\xa8") || text.starts_with("\xe2\x80\xa9") ? 3 : 0;
}

}  // namespace

Result<std::string> decode_python_text(std::string_view bytes, const std::string& file) {
  if (bytes.starts_with("\xef\xbb\xbf")) {
    return decode_by_name(bytes.substr(3), "utf-8", file);
  }
  if (bytes.starts_with(std::string_view("\xff\xfe\0\0", 4)) ||
      bytes.starts_with(std::string_view("\0\0\xfe\xff", 4))) {
    return fail(ErrorKind::kInvalid, "the file is UTF-32")
        .with_location({file, 1, 0})
        .with_hint("save it as UTF-8");
  }
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) {
    return decode_utf16(bytes.substr(2), bytes.front() == '\xfe', file);
  }
  return decode_by_name(bytes, is_ascii(bytes) ? "" : coding_line(bytes), file);
}

std::vector<std::string_view> python_lines(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const bool plain = text[at] >= ' ' && text[at] < '\x7f';
    const std::size_t end = plain ? 0 : line_end_length(text.substr(at, 3));
    if (end == 0) {
      ++at;
      continue;
    }
    out.push_back(text.substr(begin, at - begin));
    at += end;
    begin = at;
  }
  if (begin < text.size()) {
    out.push_back(text.substr(begin));
  }
  return out;
}

std::size_t python_blank_length(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  const char c = text.front();
  if (c == ' ' || c == '\t' || c == '\x1f') {
    return 1;
  }
  if (text.starts_with("\xc2\xa0")) {
    return 2;
  }
  // U+1680, U+2000 to U+200A, U+202F, U+205F, U+3000.
  static constexpr std::array<std::string_view, 4> kOthers = {"\xe1\x9a\x80", "\xe2\x80\xaf",
                                                              "\xe2\x81\x9f", "\xe3\x80\x80"};
  const bool general_blank = text.size() > 2 && text.starts_with("\xe2\x80") &&
                             static_cast<unsigned char>(text[2]) <= 0x8aU;
  const bool blank = general_blank || std::ranges::any_of(kOthers, [&](auto other) {
                       return text.starts_with(other);
                     });
  return blank ? 3 : 0;
}

}  // namespace cloche::definition
