#include "io/tar_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/text.h"

namespace cloche::io {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kBufferBytes = std::size_t{256} * 1024;
constexpr std::uint64_t kMaxExtensionBytes = std::uint64_t{1} << 20U;
constexpr std::size_t kMaxNameBytes = std::size_t{64} * 1024;
constexpr std::uint64_t kMaxEntries = 1'000'000;
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 62U;

// Where the fields of a header stand (POSIX.1-2017, pax, "ustar Interchange Format").
struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kMtime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kTypeAt = 156;
constexpr Field kLinkName{157, 100};
constexpr Field kMagic{257, 6};
constexpr Field kMajor{329, 8};
constexpr Field kMinor{337, 8};
constexpr Field kPrefix{345, 155};

std::string_view field(std::string_view header, Field where) {
  return header.substr(where.at, where.size);
}

// Up to the first NUL.
std::string_view text_of(std::string_view header, Field where) {
  const std::string_view text = field(header, where);
  return text.substr(0, text.find('\0'));
}

// Octal digits with blanks or NULs around them, or, with the first bit set, a big-endian number
// (GNU's base-256). Nothing there is zero.
std::optional<std::uint64_t> number_of(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  std::uint64_t value = 0;
  if ((first & 0x80U) != 0) {
    value = first & 0x7fU;
    for (const char c : bytes.substr(1)) {
      if (value >= kMaxSize >> 8U) {
        return std::nullopt;
      }
      value = value << 8U | static_cast<unsigned char>(c);
    }
    return value;
  }
  while (!bytes.empty() && bytes.front() == ' ') {
    bytes.remove_prefix(1);
  }
  while (!bytes.empty() && (bytes.back() == ' ' || bytes.back() == '\0')) {
    bytes.remove_suffix(1);
  }
  for (const char c : bytes.substr(0, bytes.find('\0'))) {
    if (c < '0' || c > '7') {
      return std::nullopt;
    }
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// The sum of the header's bytes with blanks for the checksum itself. Some old programs summed
// signed bytes, and their archives are accepted as every other tar accepts them.
bool checksum_holds(std::string_view header) {
  const std::optional<std::uint64_t> stated = number_of(field(header, kChecksum));
  std::uint64_t plain = 0;
  std::int64_t with_sign = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksum.at && i < kChecksum.at + kChecksum.size;
    const char c = own ? ' ' : header[i];
    plain += static_cast<unsigned char>(c);
    with_sign += static_cast<signed char>(c);
  }
  return stated && (*stated == plain || static_cast<std::int64_t>(*stated) == with_sign);
}

bool is_zero(std::string_view block) {
  return block[0] == '\0' && std::memcmp(block.data(), block.data() + 1, block.size() - 1) == 0;
}

std::string path_of(std::string_view header) {
  const std::string_view name = text_of(header, kName);
  const std::string_view prefix = text_of(header, kPrefix);
  // GNU's own format ("ustar ") keeps times in the place of the prefix.
  const bool posix = field(header, kMagic) == std::string_view("ustar\0", 6);
  if (!posix || prefix.empty()) {
    return std::string(name);
  }
  return std::string(prefix) + "/" + std::string(name);
}

Error damaged_pax() { return fail(ErrorKind::kCorrupt, "a pax header is damaged"); }

Result<std::int64_t> pax_number(std::string_view digits) {
  std::int64_t number = 0;
  const char* const first = digits.begin();
  const char* const last = first + digits.size();
  const auto parsed = std::from_chars(first, last, number);
  return parsed.ec == std::errc() && parsed.ptr == last ? Result<std::int64_t>(number)
                                                        : damaged_pax();
}

std::uint64_t padding_of(std::uint64_t size) { return (kBlock - size % kBlock) % kBlock; }

}  // namespace

TarReader::TarReader(Reader& source) : source_(source), buffer_(kBufferBytes) {}

Result<bool> TarReader::next(TarEntry& entry) {
  Extension extension;
  while (true) {
    std::string_view header;
    if (!TRY(next_header(header))) {
      return false;
    }
    if (++count_ > kMaxEntries) {
      return fail(ErrorKind::kInvalid, "more than {} entries", kMaxEntries);
    }
    const char type = header[kTypeAt];
    if (type != 'L' && type != 'K' && type != 'x' && type != 'g') {
      TRY(read_entry(header, extension, entry));
      return true;
    }
    const std::optional<std::uint64_t> size = number_of(field(header, kSize));
    if (!size || *size > kMaxExtensionBytes) {
      return fail(ErrorKind::kInvalid, "an extension header of more than {} bytes",
                  kMaxExtensionBytes);
    }
    const std::string data = TRY(extension_data(*size));
    if (type == 'L') {
      extension.path = data.substr(0, data.find('\0'));
    } else if (type == 'K') {
      extension.link_target = data.substr(0, data.find('\0'));
    } else {
      TRY(read_pax(data, type == 'g', extension));
    }
  }
}

Result<std::string_view> TarReader::content() {
  if (content_left_ == 0) {
    return std::string_view();
  }
  if (begin_ == end_ && TRY(fill(1)) == 0) {
    return fail(ErrorKind::kCorrupt, "the data ends too early");
  }
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(content_left_, end_ - begin_));
  const std::string_view piece(buffer_.data() + begin_, count);
  begin_ += count;
  content_left_ -= count;
  return piece;
}

// Makes `wanted` bytes stand in the buffer, fewer at the end of the source; returns how many do.
Result<std::size_t> TarReader::fill(std::size_t wanted) {
  if (end_ - begin_ >= wanted) {
    return end_ - begin_;
  }
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  while (end_ < wanted) {
    const std::size_t count = TRY(source_.read(std::span(buffer_).subspan(end_)));
    if (count == 0) {
      break;
    }
    end_ += count;
  }
  return end_;
}

// Skips what is left of the last entry. False at the end.
Result<bool> TarReader::next_header(std::string_view& header) {
  std::uint64_t skip = content_left_ + padding_left_;
  content_left_ = 0;
  padding_left_ = 0;
  while (skip > 0) {
    if (begin_ == end_ && TRY(fill(1)) == 0) {
      return fail(ErrorKind::kCorrupt, "the data ends too early");
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(skip, end_ - begin_));
    begin_ += count;
    skip -= count;
  }
  const std::size_t there = TRY(fill(kBlock));
  if (there == 0) {
    return false;
  }
  if (there < kBlock) {
    return fail(ErrorKind::kCorrupt, "the data ends too early");
  }
  header = std::string_view(buffer_.data() + begin_, kBlock);
  if (is_zero(header)) {
    return false;
  }
  if (!checksum_holds(header)) {
    return fail(ErrorKind::kCorrupt, "entry {} has a header with a wrong checksum", count_ + 1);
  }
  begin_ += kBlock;
  return true;
}

Result<std::string> TarReader::extension_data(std::uint64_t bytes) {
  content_left_ = bytes;
  padding_left_ = padding_of(bytes);
  std::string data;
  while (true) {
    const std::string_view piece = TRY(content());
    if (piece.empty()) {
      return data;
    }
    data += piece;
  }
}

// Records of "LENGTH KEY=VALUE\n", the length being that of the whole record.
Status TarReader::read_pax(std::string_view text, bool global, Extension& extension) {
  while (!text.empty()) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    const auto digits = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || length > text.size() || length < digits + 3 ||
        text[digits] != ' ' || text[length - 1] != '\n') {
      return damaged_pax();
    }
    const std::string_view record = text.substr(digits + 1, length - digits - 2);
    text.remove_prefix(length);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) {
      return damaged_pax();
    }
    const std::string_view key = record.substr(0, equals);
    const std::string_view value = record.substr(equals + 1);
    if (key.starts_with("GNU.sparse.")) {
      return fail(ErrorKind::kUnsupported, "sparse files are not read");
    }
    if (global) {
      continue;  // a comment or a time; a path for all entries means nothing
    }
    TRY(read_record(key, value, extension));
  }
  return {};
}

Status TarReader::read_record(std::string_view key, std::string_view value, Extension& extension) {
  constexpr std::string_view kXattr = "SCHILY.xattr.";
  if (key == "path") {
    extension.path = value;
  } else if (key == "linkpath") {
    extension.link_target = value;
  } else if (key == "mtime") {
    extension.mtime_s = TRY(pax_number(value.substr(0, value.find('.'))));  // the whole seconds
  } else if (key == "size" || key == "uid" || key == "gid") {
    const std::int64_t number = TRY(pax_number(value));
    if (number < 0) {
      return damaged_pax();
    }
    (key == "size"  ? extension.size_bytes
     : key == "uid" ? extension.uid
                    : extension.gid) = static_cast<std::uint64_t>(number);
  } else if (key.starts_with(kXattr)) {
    extension.xattr_bytes += key.size() + value.size();
    if (extension.xattr_bytes > kMaxExtensionBytes) {
      return fail(ErrorKind::kInvalid, "an entry with more than {} bytes of extended attributes",
                  kMaxExtensionBytes);
    }
    extension.xattrs.emplace_back(key.substr(kXattr.size()), value);
  }
  return {};
}

// Numbers that are none are no reason to stop: few who read an archive ask for its owners.
void TarReader::read_owner(std::string_view header, const Extension& extension, TarEntry& entry) {
  entry.uid = extension.uid ? *extension.uid : number_of(field(header, kUid)).value_or(0);
  entry.gid = extension.gid ? *extension.gid : number_of(field(header, kGid)).value_or(0);
  entry.block_device = header[kTypeAt] == '4';
  entry.device_major = entry.device_minor = 0;
  if (entry.kind == TarKind::kDevice) {
    entry.device_major = number_of(field(header, kMajor)).value_or(0);
    entry.device_minor = number_of(field(header, kMinor)).value_or(0);
  }
  entry.xattrs = extension.xattrs;
}

Status TarReader::read_entry(std::string_view header, const Extension& extension, TarEntry& entry) {
  entry.path = extension.path.empty() ? path_of(header) : extension.path;
  entry.link_target = extension.link_target.empty() ? std::string(text_of(header, kLinkName))
                                                    : extension.link_target;
  const std::optional<std::uint64_t> mode = number_of(field(header, kMode));
  const std::optional<std::uint64_t> size =
      extension.size_bytes ? extension.size_bytes : number_of(field(header, kSize));
  if (!size || *size > kMaxSize || !mode) {
    return fail(ErrorKind::kCorrupt, "the header of {} holds a number that is none",
                printable(entry.path.substr(0, 200)));
  }
  if (entry.path.size() > kMaxNameBytes || entry.link_target.size() > kMaxNameBytes) {
    return fail(ErrorKind::kInvalid, "a name of more than {} bytes", kMaxNameBytes);
  }
  entry.mode = static_cast<std::uint32_t>(*mode & 07777U);
  const auto stated = number_of(field(header, kMtime));  // a time that is none is no reason to stop
  entry.mtime_s = std::max<std::int64_t>(
      0, extension.mtime_s ? *extension.mtime_s : static_cast<std::int64_t>(stated.value_or(0)));
  const bool slash = entry.path.ends_with('/');
  while (entry.path.size() > 1 && entry.path.ends_with('/')) {
    entry.path.pop_back();
  }
  switch (header[kTypeAt]) {
    case '\0':
    case '0':
    case '7':                                                     // contiguous: a file
      entry.kind = slash ? TarKind::kDirectory : TarKind::kFile;  // V7 marks directories by name
      break;
    case '1':
      entry.kind = TarKind::kHardlink;
      break;
    case '2':
      entry.kind = TarKind::kSymlink;
      break;
    case '3':
    case '4':
      entry.kind = TarKind::kDevice;
      break;
    case '5':
      entry.kind = TarKind::kDirectory;
      break;
    case '6':
      entry.kind = TarKind::kFifo;
      break;
    default:
      return fail(ErrorKind::kUnsupported, "{} is of a kind that is not read ({})",
                  printable(entry.path.substr(0, 200)),
                  printable(std::string_view(&header[kTypeAt], 1)));
  }
  read_owner(header, extension, entry);
  const bool file = entry.kind == TarKind::kFile;
  entry.size_bytes = file ? *size : 0;
  // pax lets a hard link carry its content; nobody writes that, and everyone writes a size there.
  content_left_ = entry.size_bytes;
  padding_left_ = padding_of(entry.size_bytes);
  return {};
}

}  // namespace cloche::io
