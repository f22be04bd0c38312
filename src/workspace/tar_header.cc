#include "workspace/tar_header.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/check.h"
#include "core/text.h"

namespace cloche::workspace {
namespace {

struct FieldPlace {
  std::size_t offset;
  std::size_t size;
};
constexpr FieldPlace kName = {0, 100};
constexpr FieldPlace kMode = {100, 8};
constexpr FieldPlace kUid = {108, 8};
constexpr FieldPlace kGid = {116, 8};
constexpr FieldPlace kSize = {124, 12};
constexpr FieldPlace kTime = {136, 12};
constexpr FieldPlace kChecksum = {148, 8};
constexpr FieldPlace kType = {156, 1};
constexpr FieldPlace kMagic = {257, 8};
constexpr FieldPlace kPrefix = {345, 155};

void put(std::string& block, FieldPlace field, std::string_view text) {
  CHECK(text.size() <= field.size);
  block.replace(field.offset, text.size(), text);
}

std::string_view field_of(std::string_view block, FieldPlace field) {
  const std::string_view bytes = block.substr(field.offset, field.size);
  return bytes.substr(0, std::min(bytes.find('\0'), bytes.size()));
}

// The sum of all bytes with the checksum's own taken as blanks.
std::uint32_t checksum(std::string_view block) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size;
    sum += own ? static_cast<unsigned char>(' ') : static_cast<unsigned char>(block[i]);
  }
  return sum;
}

std::optional<std::uint64_t> octal(std::string_view block, FieldPlace field) {
  const std::string_view text = trim(field_of(block, field));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::string encode_tar_header(const TarMember& member) {
  CHECK(member.size_bytes <= kTarMaxSize);
  std::string block(kTarBlockBytes, '\0');
  put(block, kName, member.name);
  put(block, kMode, "0000644");
  put(block, kUid, "0000000");
  put(block, kGid, "0000000");
  put(block, kSize, fmt::format("{:011o}", member.size_bytes));
  put(block, kTime, "00000000000");
  put(block, kType, "0");
  put(block, kMagic, std::string_view("ustar\00000", 8));
  put(block, kChecksum, fmt::format("{:06o}", checksum(block)) + std::string("\0 ", 2));
  return block;
}

Result<std::optional<TarMember>> decode_tar_header(std::string_view block) {
  CHECK(block.size() == kTarBlockBytes);
  if (block.find_first_not_of('\0') == std::string_view::npos) {
    return std::optional<TarMember>();
  }
  if (!field_of(block, kMagic).starts_with("ustar") || octal(block, kChecksum) != checksum(block)) {
    return fail(ErrorKind::kInvalid, "no tar header where one is expected");
  }
  const std::string_view type = block.substr(kType.offset, kType.size);
  if (type != "0" && type != std::string_view("\0", 1)) {
    return fail(ErrorKind::kInvalid, "a member that is no regular file");
  }
  const auto size = octal(block, kSize);
  if (!size || *size > kTarMaxSize || !field_of(block, kPrefix).empty()) {
    return fail(ErrorKind::kInvalid, "a member that is too large, or has a long name");
  }
  return TarMember{std::string(field_of(block, kName)), *size};
}

std::size_t tar_padding(std::uint64_t size_bytes) {
  return static_cast<std::size_t>((kTarBlockBytes - size_bytes % kTarBlockBytes) % kTarBlockBytes);
}

}  // namespace cloche::workspace
