#include "io/zip_writer.h"

#include <cstddef>
#include <initializer_list>
#include <limits>
#include <utility>

#include <isa-l/crc.h>

namespace cloche::io {
namespace {

// PKWARE APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 and 4.3.16.
constexpr std::string_view kLocal("PK\3\4");
constexpr std::string_view kCentral("PK\1\2");
constexpr std::string_view kEnd("PK\5\6");
constexpr std::uint64_t kVersion = 20;
constexpr std::uint64_t kFirstDay = 0x21;  // 1980-01-01
constexpr std::uint64_t kLimit = std::numeric_limits<std::uint32_t>::max();

// Numbers of so many bytes, the lowest first.
std::string fields(std::initializer_list<std::pair<std::uint64_t, std::size_t>> all) {
  std::string out;
  for (const auto& [value, bytes] : all) {
    for (std::size_t i = 0; i < bytes; ++i) {
      out += static_cast<char>(value >> (8 * i) & 0xffU);
    }
  }
  return out;
}

std::uint64_t checksum(std::string_view bytes) {
  // ISA-L takes no const, and does not write.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  return crc32_gzip_refl(0, data, bytes.size());
}

}  // namespace

Status write_stored_zip(std::span<const StoredMember> members,
                        const std::function<Status(std::string_view)>& sink) {
  std::string directory;
  std::uint64_t offset = 0;
  for (const StoredMember& member : members) {
    const std::uint64_t size = member.content.size();
    if (size >= kLimit || offset + size >= kLimit || members.size() >= 0xffff) {
      return fail(ErrorKind::kUnsupported, "{} makes the ZIP file larger than 4 GiB", member.name);
    }
    // Version, flags, method, time, date, checksum, both sizes, length of the name, of the extra.
    const std::string common = fields({{kVersion, 2},
                                       {0, 2},
                                       {0, 2},
                                       {0, 2},
                                       {kFirstDay, 2},
                                       {checksum(member.content), 4},
                                       {size, 4},
                                       {size, 4},
                                       {member.name.size(), 2},
                                       {0, 2}});
    directory += kCentral;
    directory += fields({{kVersion, 2}}) + common;
    directory += fields({{0, 2}, {0, 2}, {0, 2}, {0, 4}, {offset, 4}}) + member.name;
    const std::string header = std::string(kLocal) + common + member.name;
    TRY(sink(header));
    TRY(sink(member.content));
    offset += header.size() + size;
  }
  const std::uint64_t count = members.size();
  TRY(sink(directory));
  return sink(
      std::string(kEnd) +
      fields({{0, 2}, {0, 2}, {count, 2}, {count, 2}, {directory.size(), 4}, {offset, 4}, {0, 2}}));
}

}  // namespace cloche::io
