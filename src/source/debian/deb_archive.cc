#include "source/debian/deb_archive.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/ascii.h"
#include "core/digest.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/reader.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxPathBytes = 4096;
constexpr std::size_t kMaxComponentBytes = 255;
constexpr int kMaxDepth = 128;
constexpr std::uint64_t kAlwaysAllowedBytes = std::uint64_t{64} << 20U;
constexpr std::uint64_t kMaxExpansion = 1000;
constexpr std::uint64_t kMaxControlBytes = std::uint64_t{64} << 20U;
constexpr std::size_t kMaxControlFiles = 1000;
constexpr std::size_t kMaxControlName = 100;

constexpr std::string_view kArMagic = "!<arch>\n";
constexpr std::size_t kArHeaderBytes = 60;
constexpr std::size_t kArSizeAt = 48;
constexpr std::size_t kArSizeDigits = 10;
constexpr int kMaxMembers = 100;

std::string shown(std::string_view path) { return printable(path.substr(0, 200)); }

Error not_a_package(std::string_view why) {
  return fail(ErrorKind::kInvalid, "it is no Debian package: {}", why)
      .with_hint("fetch it again: a server's error page often has a package's name");
}

struct ArHeader {
  std::string name;
  std::uint64_t bytes = 0;
};

// ar(5): a name of 16, and at 48 the size in decimal, both filled with blanks; at 58 "`\n".
Result<ArHeader> read_ar_header(std::string_view header) {
  if (header.substr(kArHeaderBytes - 2) != "`\n") {
    return not_a_package("a member's header is damaged");
  }
  ArHeader out;
  out.name = trim_right(header.substr(0, 16));
  if (out.name.ends_with('/')) {  // as GNU ar writes names
    out.name.pop_back();
  }
  const std::string_view digits = trim_right(header.substr(kArSizeAt, kArSizeDigits));
  if (digits.empty() || !std::ranges::all_of(digits, is_digit)) {
    return not_a_package("a member's size is no number");
  }
  for (const char c : digits) {  // ten digits at most
    out.bytes = out.bytes * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return out;
}

// "control.tar.xz" of base "control.tar".
Result<std::optional<io::Compression>> compression_of_member(std::string_view name,
                                                             std::string_view base) {
  if (!name.starts_with(base)) {
    return std::optional<io::Compression>();
  }
  const std::string_view ending = name.substr(base.size());
  if (ending.empty()) {
    return std::optional(io::Compression::kNone);
  }
  for (const std::string_view known : {".gz", ".xz", ".zst", ".bz2"}) {
    if (ending == known) {
      return std::optional(io::compression_of(name));
    }
  }
  return fail(ErrorKind::kUnsupported, "the member {} is compressed in a way that is not read",
              printable(name));
}

Status check_hash(const std::string& path, const std::string& sha256) {
  io::FileReader file = TRY(io::FileReader::open(path));
  std::vector<char> buffer(std::size_t{256} * 1024);
  Hasher hasher;
  while (const std::size_t count = TRY(file.read(buffer))) {
    hasher.update({buffer.data(), count});
  }
  if (const std::string found = hasher.finish_hex(); found != sha256) {
    return fail(ErrorKind::kCorrupt, "its sha256 is {}, not {}", found, printable(sha256))
        .with_hint("fetch it again, from a server that you trust");
  }
  return {};
}

bool is_control_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxControlName && name[0] != '.' && name[0] != '-' &&
         std::ranges::all_of(name, [](char c) {
           return is_alnum(c) || c == '_' || c == '.' || c == '-' || c == '+';
         });
}

}  // namespace

Result<std::string> debian_path(std::string_view path) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::kInvalid, "the path '{}' {}", shown(path), why);
  };
  if (path.size() > kMaxPathBytes || path.find('\0') != std::string_view::npos) {
    return refuse(path.size() > kMaxPathBytes ? "is too long" : "holds a NUL byte");
  }
  std::string out;
  out.reserve(path.size());
  int depth = 0;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") {
      continue;
    }
    if (part == "..") {
      return refuse("leads out with '..'");
    }
    if (part.size() > kMaxComponentBytes) {
      return refuse("has a part that is too long");
    }
    if (!out.empty()) {
      out += '/';
    }
    out += part;
    if (++depth > kMaxDepth) {
      return refuse("is too deep");
    }
  }
  return out;
}

// The readers in the order in which the bytes come, each using the one before it.
struct DebStream::State {
  io::Descriptor file;
  std::unique_ptr<io::Reader> member;
  std::unique_ptr<io::Reader> plain;
  std::unique_ptr<io::TarReader> tar;

  std::string member_name;
  std::uint64_t bytes_left = 0;
  std::unordered_set<std::string> directories;  // those that something lies in, too
  std::unordered_set<std::string> files;
  std::unordered_set<std::string> symlinks;

  Result<bool> next(io::TarEntry& entry);
  Status take(std::uint64_t bytes, std::string_view path);
  Status check(io::TarEntry& entry);
  Status check_place(const io::TarEntry& entry);
  Status finish();
};

Result<bool> DebStream::State::next(io::TarEntry& entry) {
  while (TRY(tar->next(entry))) {
    entry.path = TRY(debian_path(entry.path));
    if (entry.path.empty()) {
      if (entry.kind != io::TarKind::kDirectory) {
        return fail(ErrorKind::kInvalid, "the root is no directory");
      }
      continue;
    }
    TRY(check(entry));
    return true;
  }
  TRY(finish());
  return false;
}

// Contents and the names that are held count alike.
Status DebStream::State::take(std::uint64_t bytes, std::string_view path) {
  if (bytes > bytes_left) {
    return fail(ErrorKind::kInvalid, "{} makes the content larger than is believable", shown(path));
  }
  bytes_left -= bytes;
  return {};
}

Status DebStream::State::check(io::TarEntry& entry) {
  if (entry.kind == io::TarKind::kDevice || entry.kind == io::TarKind::kFifo) {
    return fail(ErrorKind::kInvalid, "{} is a {}", shown(entry.path),
                entry.kind == io::TarKind::kFifo ? "FIFO" : "device");
  }
  TRY(take(entry.size_bytes, entry.path));
  if (entry.kind == io::TarKind::kHardlink) {
    entry.link_target = TRY(debian_path(entry.link_target));
    if (!files.contains(entry.link_target)) {
      return fail(ErrorKind::kInvalid, "the hard link {} leads to '{}', which is no file before it",
                  shown(entry.path), shown(entry.link_target));
    }
  } else if (entry.kind == io::TarKind::kSymlink &&
             (entry.link_target.empty() || entry.link_target.size() > kMaxPathBytes)) {
    return fail(ErrorKind::kInvalid, "the link {} has {}", shown(entry.path),
                entry.link_target.empty() ? "no target" : "a target that is too long");
  }
  return check_place(entry);
}

Status DebStream::State::check_place(const io::TarEntry& entry) {
  const std::string& path = entry.path;
  for (std::size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (files.contains(parent) || symlinks.contains(parent)) {
      return fail(ErrorKind::kInvalid, "{} lies in {}, which is no directory", shown(path),
                  shown(parent));
    }
    if (directories.insert(parent).second) {
      TRY(take(parent.size(), path));
    }
  }
  TRY(take(path.size(), path));
  const bool directory = entry.kind == io::TarKind::kDirectory;
  if (files.contains(path) || symlinks.contains(path) ||
      (!directory && directories.contains(path))) {
    return fail(ErrorKind::kInvalid, "{} is there twice", shown(path));
  }
  (directory ? directories : entry.kind == io::TarKind::kSymlink ? symlinks : files).insert(path);
  return {};
}

// What follows the end of the tar archive: its padding, the compression's checksum.
Status DebStream::State::finish() {
  std::array<char, 4096> buffer{};
  while (const std::size_t count = TRY(plain->read(buffer))) {
    if (count > bytes_left) {
      return fail(ErrorKind::kInvalid, "{} is larger than is believable", member_name);
    }
    bytes_left -= count;
  }
  return {};
}

DebStream::DebStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
DebStream::DebStream(DebStream&&) noexcept = default;
DebStream::~DebStream() = default;

Result<bool> DebStream::next(io::TarEntry& entry) {
  return state_->next(entry).context("in {}", state_->member_name);
}

Result<std::string_view> DebStream::content() {
  return state_->tar->content().context("in {}", state_->member_name);
}

Result<DebArchive> DebArchive::open(const std::string& path, const std::string& sha256) {
  if (!sha256.empty()) {
    TRY(check_hash(path, sha256));
  }
  DebArchive archive;
  archive.path_ = path;
  TRY(archive.find_members());
  return archive;
}

// deb(5): "debian-binary", control.tar*, data.tar*; before data.tar* there may be members whose
// names begin with "_", which mean nothing to us, and whatever follows is to be ignored.
Status DebArchive::find_members() {
  constexpr std::uint64_t kMaxFormatBytes = 1000;
  const io::Descriptor file = TRY(io::open_for_reading(path_));
  file_bytes_ = TRY(io::file_size(file, path_));
  const auto text = [&](std::uint64_t offset, std::uint64_t bytes) -> Result<std::string> {
    io::FileRangeReader part(file, path_, offset, bytes);
    return io::read_all(part, bytes);
  };
  if (file_bytes_ < kArMagic.size() || TRY(text(0, kArMagic.size())) != kArMagic) {
    return not_a_package("it does not begin as an ar archive");
  }
  const auto cut_short = [] { return fail(ErrorKind::kCorrupt, "the archive is cut short"); };
  std::uint64_t at = kArMagic.size();
  for (int count = 0; count < kMaxMembers; ++count) {
    if (file_bytes_ - at < kArHeaderBytes) {
      return cut_short();
    }
    const ArHeader header = TRY(read_ar_header(TRY(text(at, kArHeaderBytes))));
    at += kArHeaderBytes;
    if (header.bytes > file_bytes_ - at) {
      return cut_short();
    }
    const Member member{header.name, io::Compression::kNone, at, header.bytes};
    at = std::min(at + header.bytes + (header.bytes % 2), file_bytes_);
    if (count == 0) {
      if (member.name != "debian-binary" || member.bytes > kMaxFormatBytes) {
        return not_a_package("its first member is not debian-binary");
      }
      const std::string format = TRY(text(member.offset, member.bytes));
      if (!format.starts_with("2.") || format.find('\n') == std::string::npos) {
        return fail(ErrorKind::kUnsupported, "the format version '{}' is not read",
                    shown(format.substr(0, format.find('\n'))));
      }
      continue;
    }
    if (member.name.starts_with('_')) {
      continue;
    }
    const bool control = control_.name.empty();
    const std::string_view base = control ? "control.tar" : "data.tar";
    const auto compression = TRY(compression_of_member(member.name, base));
    if (!compression) {
      return not_a_package(control ? "its second member is not control.tar"
                                   : "its third member is not data.tar");
    }
    Member& place = control ? control_ : data_;
    place = member;
    place.compression = *compression;
    if (!control) {
      return {};
    }
  }
  return not_a_package("it has too many members");
}

Result<std::unique_ptr<DebStream::State>> DebArchive::stream(const Member& member) const {
  auto state = std::make_unique<DebStream::State>();
  state->file = TRY(io::open_for_reading(path_));
  state->member_name = member.name;
  state->bytes_left = std::max(kAlwaysAllowedBytes, file_bytes_ * kMaxExpansion);
  state->member =
      std::make_unique<io::FileRangeReader>(state->file, path_, member.offset, member.bytes);
  state->plain = io::decompress(*state->member, member.compression);
  state->tar = std::make_unique<io::TarReader>(*state->plain);
  return state;
}

Result<DebStream> DebArchive::data() const { return DebStream(TRY(stream(data_))); }

Result<ControlFiles> DebArchive::control() const {
  const auto read = [&]() -> Result<ControlFiles> {
    const std::unique_ptr<DebStream::State> state = TRY(stream(control_));
    state->bytes_left = kMaxControlBytes;
    ControlFiles files;
    io::TarEntry entry;
    while (TRY(state->next(entry))) {
      if (entry.kind != io::TarKind::kFile || !is_control_name(entry.path)) {
        return fail(ErrorKind::kInvalid, "'{}' is no control file", shown(entry.path));
      }
      if (files.size() == kMaxControlFiles) {
        return fail(ErrorKind::kInvalid, "there are more than {} control files", kMaxControlFiles);
      }
      ControlFile& file = files[entry.path];
      file.mode = (entry.mode & 0111U) != 0 ? 0755 : 0644;
      for (std::string_view piece = TRY(state->tar->content()); !piece.empty();
           piece = TRY(state->tar->content())) {
        file.content += piece;
      }
    }
    if (!files.contains("control")) {
      return fail(ErrorKind::kInvalid, "there is no file 'control'");
    }
    return files;
  };
  return read().context("in {}", control_.name);
}

}  // namespace cloche::source
