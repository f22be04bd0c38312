#include "blob/segment_index.h"

#include <array>
#include <limits>
#include <optional>

#include "core/check.h"

namespace cloche::blob {
namespace {

constexpr std::string_view kMagic = "clocheSI";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kFrameSize = 8;
constexpr std::size_t kEntrySize = 63;  // without path and target
constexpr std::size_t kHashBytes = 32;

// Tar's letters.
constexpr std::array<std::pair<io::TarKind, char>, 4> kKinds{{{io::TarKind::kFile, '0'},
                                                              {io::TarKind::kHardlink, '1'},
                                                              {io::TarKind::kSymlink, '2'},
                                                              {io::TarKind::kDirectory, '5'}}};

char letter_of(io::TarKind kind) {
  for (const auto& [one, letter] : kKinds) {
    if (one == kind) {
      return letter;
    }
  }
  return '\0';
}

std::optional<io::TarKind> kind_of(char letter) {
  for (const auto& [kind, one] : kKinds) {
    if (one == letter) {
      return kind;
    }
  }
  return std::nullopt;
}

void put(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    out += static_cast<char>(value & 0xffU);
    value >>= 8U;
  }
}

void put_text(std::string& out, std::string_view text) {
  CHECK(text.size() <= std::numeric_limits<std::uint16_t>::max());
  put(out, text.size(), 2);
  out += text;
}

unsigned digit_of(char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); }

void put_hash(std::string& out, std::string_view hex) {
  if (hex.empty()) {
    out.append(kHashBytes, '\0');
    return;
  }
  CHECK(hex.size() == 2 * kHashBytes);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    out += static_cast<char>((digit_of(hex[i]) << 4U) | digit_of(hex[i + 1]));
  }
}

// Takes numbers and texts off the front; once something is missing, everything is 0 and empty.
class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number(std::size_t bytes) {
    const std::string_view part = take(bytes);
    std::uint64_t value = 0;
    for (std::size_t i = part.size(); i > 0; --i) {
      value = value << 8U | static_cast<unsigned char>(part[i - 1]);
    }
    return value;
  }

  std::string text() { return std::string(take(number(2))); }

  std::string hash() {
    static constexpr std::string_view kHex = "0123456789abcdef";
    std::string hex;
    for (const char c : take(kHashBytes)) {
      hex += kHex[static_cast<unsigned char>(c) >> 4U];
      hex += kHex[static_cast<unsigned char>(c) & 15U];
    }
    return hex;
  }

  std::string_view take(std::size_t bytes) {
    if (bytes > rest_.size()) {
      short_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view part = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return part;
  }

  std::size_t left() const { return rest_.size(); }
  bool is_short() const { return short_; }

 private:
  std::string_view rest_;
  bool short_ = false;
};

Error damaged() { return fail(ErrorKind::kCorrupt, "the segment's index is damaged"); }

Result<IndexEntry> read_entry(Input& input) {
  IndexEntry entry;
  const std::optional<io::TarKind> kind = kind_of(static_cast<char>(input.number(1)));
  if (!kind) {
    return damaged();
  }
  entry.kind = *kind;
  entry.mode = static_cast<std::uint32_t>(input.number(2));
  entry.size_bytes = input.number(8);
  entry.offset = input.number(8);
  entry.mtime_s = static_cast<std::int64_t>(input.number(8));
  entry.sha256 = input.hash();
  if (*kind != io::TarKind::kFile) {
    entry.sha256.clear();
  }
  entry.path = input.text();
  entry.link_target = input.text();
  return entry;
}

}  // namespace

std::string print_index(const SegmentIndex& index) {
  std::string out(kMagic);
  put(out, kVersion, 4);
  put(out, index.frames.size(), 4);
  put(out, index.entries.size(), 4);
  for (const IndexFrame& frame : index.frames) {
    put(out, frame.compressed_bytes, 4);
    put(out, frame.tar_bytes, 4);
  }
  for (const IndexEntry& entry : index.entries) {
    out += letter_of(entry.kind);
    put(out, entry.mode, 2);
    put(out, entry.size_bytes, 8);
    put(out, entry.offset, 8);
    put(out, static_cast<std::uint64_t>(entry.mtime_s), 8);
    put_hash(out, entry.sha256);
    put_text(out, entry.path);
    put_text(out, entry.link_target);
  }
  return out;
}

Result<SegmentIndex> parse_index(std::string_view bytes) {
  Input input(bytes);
  if (input.take(kMagic.size()) != kMagic) {
    return damaged();
  }
  if (const std::uint64_t version = input.number(4); version != kVersion) {
    return fail(ErrorKind::kUnsupported, "the segment's index has version {}", version);
  }
  const std::uint64_t frames = input.number(4);
  const std::uint64_t entries = input.number(4);
  if (input.is_short() || frames * kFrameSize + entries * kEntrySize > input.left()) {
    return damaged();
  }
  SegmentIndex index;
  index.frames.reserve(frames);
  for (std::uint64_t i = 0; i < frames; ++i) {
    IndexFrame& frame = index.frames.emplace_back();
    frame.compressed_bytes = static_cast<std::uint32_t>(input.number(4));
    frame.tar_bytes = static_cast<std::uint32_t>(input.number(4));
  }
  index.entries.reserve(entries);
  for (std::uint64_t i = 0; i < entries && !input.is_short(); ++i) {
    index.entries.push_back(TRY(read_entry(input)));
  }
  if (input.is_short() || input.left() != 0) {
    return damaged();
  }
  return index;
}

}  // namespace cloche::blob
