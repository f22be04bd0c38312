#include "blob/tar_writer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "core/text.h"

namespace cloche::blob {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameBytes = 100;
constexpr std::size_t kPrefixBytes = 155;
constexpr std::uint64_t kMaxOctal = 077777777777;  // eleven digits: 8 GiB less one byte, year 2242
constexpr std::uint32_t kMaxOwner = 07777777;      // seven digits
constexpr std::uint32_t kLinkMode = 0777;

// Where the fields of a header stand (POSIX.1-2017, pax, "ustar Interchange Format").
constexpr std::size_t kModeAt = 100;
constexpr std::size_t kUidAt = 108;
constexpr std::size_t kGidAt = 116;
constexpr std::size_t kSizeAt = 124;
constexpr std::size_t kMtimeAt = 136;
constexpr std::size_t kChecksumAt = 148;
constexpr std::size_t kTypeAt = 156;
constexpr std::size_t kLinkAt = 157;
constexpr std::size_t kMagicAt = 257;
constexpr std::size_t kMajorAt = 329;
constexpr std::size_t kMinorAt = 337;
constexpr std::size_t kPrefixAt = 345;

using Block = std::array<char, kBlock>;

void set(Block& block, std::size_t at, std::string_view text) {
  std::ranges::copy(text, block.begin() + static_cast<std::ptrdiff_t>(at));
}

void set_octal(Block& block, std::size_t at, std::size_t digits, std::uint64_t value) {
  for (std::size_t i = digits; i > 0; --i) {
    block.at(at + i - 1) = static_cast<char>('0' + (value & 7U));
    value >>= 3U;
  }
}

std::string_view view(const Block& block) { return {block.data(), block.size()}; }

// Six digits, a NUL and a blank, as every tar writes it.
void set_checksum(Block& block) {
  set(block, kChecksumAt, "        ");
  std::uint64_t sum = 0;
  for (const char c : block) {
    sum += static_cast<unsigned char>(c);
  }
  set_octal(block, kChecksumAt, 6, sum);
  block.at(kChecksumAt + 6) = '\0';
}

Block plain_block(char type, std::uint32_t mode, std::uint64_t size, std::uint64_t mtime) {
  Block block{};
  set_octal(block, kModeAt, 7, mode);
  set_octal(block, kUidAt, 7, 0);
  set_octal(block, kGidAt, 7, 0);
  set_octal(block, kSizeAt, 11, size);
  set_octal(block, kMtimeAt, 11, mtime);
  block.at(kTypeAt) = type;
  set(block, kMagicAt, std::string_view("ustar\00000", 8));
  set_octal(block, kMajorAt, 7, 0);
  set_octal(block, kMinorAt, 7, 0);
  return block;
}

char type_of(io::TarKind kind) {
  switch (kind) {
    case io::TarKind::kFile:
      return '0';
    case io::TarKind::kHardlink:
      return '1';
    case io::TarKind::kSymlink:
      return '2';
    case io::TarKind::kDirectory:
      return '5';
    default:
      return '\0';
  }
}

// The slash at which a path is cut in two for ustar: the first that leaves a name which fits.
std::optional<std::size_t> cut_of(std::string_view path) {
  const std::size_t at = path.find('/', path.size() - kNameBytes - 1);
  if (at == std::string_view::npos || at == 0 || at > kPrefixBytes || at + 1 == path.size()) {
    return std::nullopt;
  }
  return at;
}

// "27 path=a/long/one...\n": the number counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t size = rest + 1;
  while (fmt::formatted_size("{}", size) + rest != size) {
    size = fmt::formatted_size("{}", size) + rest;
  }
  std::string record = fmt::format("{} {}=", size, key);
  record += value;
  record += '\n';
  return record;
}

// The records that go before an entry, by key.
class Records {
 public:
  void add(const std::string& key, std::string_view value) {
    if (!is_valid_utf8(value) && !key.starts_with("SCHILY.xattr.")) {
      all_["hdrcharset"] = "BINARY";
    }
    all_[key] = value;
  }

  std::string text() const {
    std::string out;
    for (const auto& [key, value] : all_) {
      out += pax_record(key, value);
    }
    return out;
  }

 private:
  std::map<std::string, std::string> all_;
};

void set_owner(Block& block, std::size_t at, const std::string& key, std::uint32_t number,
               Records& records) {
  if (number <= kMaxOwner) {
    set_octal(block, at, 7, number);
  } else {
    records.add(key, std::to_string(number));
  }
}

void set_path(Block& block, std::string_view path, Records& records) {
  if (path.size() <= kNameBytes) {
    set(block, 0, path);
  } else if (const std::optional<std::size_t> cut = cut_of(path)) {
    set(block, kPrefixAt, path.substr(0, *cut));
    set(block, 0, path.substr(*cut + 1));
  } else {
    set(block, 0, path.substr(0, kNameBytes));
    records.add("path", path);
  }
}

}  // namespace

Status TarWriter::entry(const TarHeader& header) {
  CHECK(left_ == 0);
  const char type = type_of(header.kind);
  if (type == '\0') {
    return fail(ErrorKind::kUnsupported, "{} is a device or a FIFO", printable(header.path));
  }
  const bool file = header.kind == io::TarKind::kFile;
  const bool link = header.kind == io::TarKind::kSymlink || header.kind == io::TarKind::kHardlink;
  const std::uint64_t size = file ? header.size_bytes : 0;
  const auto mtime = static_cast<std::uint64_t>(
      std::clamp<std::int64_t>(header.mtime_s, 0, static_cast<std::int64_t>(kMaxOctal)));
  Block block = plain_block(type, link ? kLinkMode : header.mode & 07777U,
                            size <= kMaxOctal ? size : 0, mtime);
  Records records;
  set_path(block, header.kind == io::TarKind::kDirectory ? header.path + "/" : header.path,
           records);
  set_owner(block, kUidAt, "uid", header.uid, records);
  set_owner(block, kGidAt, "gid", header.gid, records);
  if (size > kMaxOctal) {
    records.add("size", std::to_string(size));
  }
  if (link) {
    set(block, kLinkAt, std::string_view(header.link_target).substr(0, kNameBytes));
    if (header.link_target.size() > kNameBytes) {
      records.add("linkpath", header.link_target);
    }
  }
  for (const auto& [name, value] : header.xattrs) {
    if (name.find('=') != std::string::npos) {
      return fail(ErrorKind::kUnsupported, "the extended attribute '{}' of {} cannot be written",
                  printable(name), printable(header.path));
    }
    records.add("SCHILY.xattr." + name, value);
  }
  if (const std::string text = records.text(); !text.empty()) {
    Block extension = plain_block('x', 0644, text.size(), static_cast<std::uint64_t>(kFixedTime));
    set(extension, 0, "././@PaxHeader");
    set_checksum(extension);
    TRY(put(view(extension)));
    TRY(put(text));
    TRY(pad(text.size()));
  }
  set_checksum(block);
  size_ = size;
  left_ = size;
  return put(view(block));
}

Status TarWriter::content(std::string_view bytes) {
  CHECK(bytes.size() <= left_);
  left_ -= bytes.size();
  TRY(put(bytes));
  return left_ == 0 && !bytes.empty() ? pad(size_) : Status();
}

Status TarWriter::put(std::string_view bytes) {
  bytes_ += bytes.size();
  return sink_(bytes);
}

Status TarWriter::pad(std::uint64_t size) {
  static constexpr Block kZeros{};
  return put(view(kZeros).substr(0, (kBlock - size % kBlock) % kBlock));
}

}  // namespace cloche::blob
