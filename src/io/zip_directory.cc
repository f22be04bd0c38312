#include "io/zip_directory.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "core/text.h"

namespace cloche::io {
namespace {

constexpr std::uint64_t kMaxMembers = 65'536;
constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{16} << 20U;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kMaxComment = 65'535;
constexpr std::string_view kEndMark("PK\5\6", 4);
constexpr std::string_view kLocatorMark("PK\6\7", 4);
constexpr std::string_view kEnd64Mark("PK\6\6", 4);
constexpr std::string_view kMemberMark("PK\1\2", 4);
constexpr std::string_view kLocalMark("PK\3\4", 4);

std::uint64_t little(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i > 0; --i) {
    value = value << 8U | static_cast<unsigned char>(bytes[at + i - 1]);
  }
  return value;
}

// Replaces the fields that are all ones by those of the zip64 extra field (APPNOTE 4.5.3), which
// stand there in this order.
bool apply_zip64(std::string_view extra, ZipMember& member) {
  const bool size = member.size_bytes == 0xffff'ffff;
  const bool stored = member.stored_bytes == 0xffff'ffff;
  const bool offset = member.header_offset == 0xffff'ffff;
  if (!size && !stored && !offset) {
    return true;
  }
  while (extra.size() >= 4) {
    const std::uint64_t id = little(extra, 0, 2);
    const std::uint64_t bytes = little(extra, 2, 2);
    if (bytes > extra.size() - 4) {
      return false;
    }
    std::string_view data = extra.substr(4, bytes);
    extra.remove_prefix(4 + bytes);
    if (id != 1) {
      continue;
    }
    for (auto [wanted, field] :
         {std::pair(size, &member.size_bytes), std::pair(stored, &member.stored_bytes),
          std::pair(offset, &member.header_offset)}) {
      if (!wanted) {
        continue;
      }
      if (data.size() < 8) {
        return false;
      }
      *field = little(data, 0, 8);
      data.remove_prefix(8);
    }
    return true;
  }
  return false;
}

}  // namespace

Result<ZipDirectory> ZipDirectory::open(const std::string& path) {
  Descriptor file = TRY(open_for_reading(path));
  const std::uint64_t bytes = TRY(file_size(file, path));
  ZipDirectory zip(path, std::move(file));
  zip.file_bytes_ = bytes;
  const Span directory = TRY(zip.find_directory());
  TRY(zip.read_members(directory));
  return zip;
}

Result<std::string> ZipDirectory::bytes_at(std::uint64_t offset, std::uint64_t bytes) const {
  if (offset > file_bytes_ || bytes > file_bytes_ - offset) {
    return fail(ErrorKind::kCorrupt, "the ZIP file is cut short");
  }
  std::string out(bytes, '\0');
  FileRangeReader reader(file_, path_, offset, bytes);
  TRY(read_full(reader, out));
  return out;
}

Result<ZipDirectory::Span> ZipDirectory::find_directory() const {
  const std::uint64_t tail = std::min<std::uint64_t>(file_bytes_, kEndBytes + kMaxComment);
  const std::string end = TRY(bytes_at(file_bytes_ - tail, tail));
  std::size_t at = end.rfind(kEndMark);
  // The mark may also stand in the comment: the record's own comment must reach the file's end.
  while (at != std::string::npos &&
         (at + kEndBytes > end.size() || at + kEndBytes + little(end, at + 20, 2) != end.size())) {
    at = at == 0 ? std::string::npos : end.rfind(kEndMark, at - 1);
  }
  if (at == std::string::npos) {
    return fail(ErrorKind::kCorrupt, "this is no ZIP file, or one that is cut short");
  }
  const Span found{little(end, at + 16, 4), little(end, at + 12, 4), little(end, at + 10, 2)};
  const std::uint64_t position = file_bytes_ - tail + at;
  if (little(end, at + 4, 2) == 0xffff || found.count == 0xffff || found.bytes == 0xffff'ffff ||
      found.offset == 0xffff'ffff) {
    if (position < kLocatorBytes) {
      return fail(ErrorKind::kCorrupt, "the ZIP file has no zip64 record where it must be");
    }
    return find_zip64_directory(position - kLocatorBytes);
  }
  if (little(end, at + 4, 2) != 0 || little(end, at + 6, 2) != 0) {
    return fail(ErrorKind::kUnsupported, "the ZIP file is split over several files");
  }
  return found;
}

Result<ZipDirectory::Span> ZipDirectory::find_zip64_directory(std::uint64_t locator_offset) const {
  const std::string locator = TRY(bytes_at(locator_offset, kLocatorBytes));
  if (!locator.starts_with(kLocatorMark)) {
    return fail(ErrorKind::kCorrupt, "the ZIP file has no zip64 record where it must be");
  }
  const std::string end = TRY(bytes_at(little(locator, 8, 8), 56));
  if (!end.starts_with(kEnd64Mark)) {
    return fail(ErrorKind::kCorrupt, "the ZIP file's zip64 record is damaged");
  }
  return Span{little(end, 48, 8), little(end, 40, 8), little(end, 32, 8)};
}

Status ZipDirectory::read_members(const Span& directory) {
  if (directory.count > kMaxMembers || directory.bytes > kMaxDirectoryBytes) {
    return fail(ErrorKind::kInvalid, "the ZIP file has {} members; at most {} are read",
                directory.count, kMaxMembers);
  }
  const std::string all = TRY(bytes_at(directory.offset, directory.bytes));
  std::string_view rest = all;
  for (std::uint64_t i = 0; i < directory.count; ++i) {
    const bool whole = rest.size() >= 46 && rest.starts_with(kMemberMark);
    const std::size_t name = whole ? little(rest, 28, 2) : 0;
    const std::size_t extra = whole ? little(rest, 30, 2) : 0;
    const std::size_t bytes = whole ? 46 + name + extra + little(rest, 32, 2) : 0;
    if (!whole || bytes > rest.size()) {
      return fail(ErrorKind::kCorrupt, "the ZIP file's directory is damaged");
    }
    ZipMember member;
    member.name = rest.substr(46, name);
    member.encrypted = (little(rest, 8, 2) & 1U) != 0;
    member.method = static_cast<std::uint16_t>(little(rest, 10, 2));
    member.stored_bytes = little(rest, 20, 4);
    member.size_bytes = little(rest, 24, 4);
    member.header_offset = little(rest, 42, 4);
    if (!apply_zip64(rest.substr(46 + name, extra), member)) {
      return fail(ErrorKind::kCorrupt, "the ZIP file's directory is damaged");
    }
    members_.push_back(std::move(member));
    rest.remove_prefix(bytes);
  }
  return {};
}

Result<std::unique_ptr<Reader>> ZipDirectory::read(const ZipMember& member) const {
  if (member.method != 0 || member.encrypted || member.stored_bytes != member.size_bytes) {
    return fail(ErrorKind::kUnsupported, "the member {} is {}", printable(member.name),
                member.encrypted ? "encrypted" : "compressed in the ZIP file itself");
  }
  const std::string header = TRY(bytes_at(member.header_offset, 30));
  if (!header.starts_with(kLocalMark)) {
    return fail(ErrorKind::kCorrupt, "the ZIP file has no member where its directory says");
  }
  const std::uint64_t start =
      member.header_offset + 30 + little(header, 26, 2) + little(header, 28, 2);
  if (start > file_bytes_ || member.stored_bytes > file_bytes_ - start) {
    return fail(ErrorKind::kCorrupt, "the ZIP file is cut short within {}", printable(member.name));
  }
  return std::make_unique<FileRangeReader>(file_, path_, start, member.stored_bytes);
}

}  // namespace cloche::io
