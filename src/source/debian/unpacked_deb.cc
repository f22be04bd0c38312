#include "source/debian/unpacked_deb.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "core/digest.h"
#include "core/text.h"
#include "package/debian/paragraph.h"

namespace cloche::source {
namespace {

constexpr std::size_t kContentInMemory = std::size_t{32} << 20U;
constexpr std::string_view kInfo = "var/lib/dpkg/info/";
constexpr std::uint64_t kMaxOwner = 0xFFFF'FFFEU;

constexpr std::string_view kScripts[] = {"config", "postinst", "postrm", "preinst", "prerm"};

std::string shown(std::string_view path) { return printable(path.substr(0, 200)); }

}  // namespace

std::string info_name(const debian::PackageRecord& record) {
  return record.multi_arch == debian::MultiArch::kSame ? record.name + ":" + record.architecture
                                                       : record.name;
}

UnpackedDeb::UnpackedDeb(const std::string& directory) : bytes_(kContentInMemory, directory) {}

Result<UnpackedDeb> UnpackedDeb::read(const DebArchive& archive, const std::string& directory,
                                      const std::stop_token& stop) {
  UnpackedDeb deb(directory);
  deb.control_ = TRY(archive.control());
  debian::Paragraph paragraph;
  debian::ParagraphReader reader(deb.control_.at("control").content, "control");
  if (!TRY(reader.next(paragraph))) {
    return fail(ErrorKind::kInvalid, "its control file is empty");
  }
  deb.record_ = TRY(debian::read_record(paragraph).context("in its control file"));
  TRY(deb.read_data(archive, stop));
  TRY(deb.describe(deb.control_));
  return deb;
}

Status UnpackedDeb::read_data(const DebArchive& archive, const std::stop_token& stop) {
  DebStream data = TRY(archive.data());
  io::TarEntry entry;
  while (TRY(data.next(entry))) {
    if (stop.stop_requested()) {
      return fail(ErrorKind::kCancelled, "stopped");
    }
    TRY(read_entry(data, entry));
  }
  return {};
}

Status UnpackedDeb::read_entry(DebStream& data, io::TarEntry& entry) {
  if (entry.uid > kMaxOwner || entry.gid > kMaxOwner) {
    return fail(ErrorKind::kInvalid, "the owner of {} is no number of 32 bits", shown(entry.path));
  }
  if (entry.path.starts_with(kInfo)) {
    return fail(ErrorKind::kInvalid, "{} is dpkg's own", shown(entry.path));
  }
  if (const auto found = places_.find(entry.path); found != places_.end()) {
    return {};  // a directory again: dpkg leaves it as it is
  }
  places_.emplace(entry.path, items_.size());
  Item& item = items_.emplace_back();
  item.path = entry.path;
  item.kind = entry.kind;
  item.mode = entry.mode & 07777U;
  item.uid = static_cast<std::uint32_t>(entry.uid);
  item.gid = static_cast<std::uint32_t>(entry.gid);
  item.mtime_s = entry.mtime_s;
  item.link_target = entry.link_target;
  for (const auto& [name, value] : entry.xattrs) {
    if (name == "security.capability") {
      item.xattrs[name] = value;
    }
  }
  if (entry.kind != io::TarKind::kFile) {
    return {};
  }
  contents_.newest_s = std::max(contents_.newest_s, entry.mtime_s);
  item.at = bytes_.size();
  item.size_bytes = entry.size_bytes;
  Hasher sha256;
  Hasher md5(Hasher::Algorithm::kMd5);
  const bool wants_md5 = entry.path.starts_with("etc/") || !control_.contains("md5sums");
  for (std::string_view piece = TRY(data.content()); !piece.empty(); piece = TRY(data.content())) {
    sha256.update(piece);
    if (wants_md5) {
      md5.update(piece);
    }
    TRY(bytes_.append(piece));
  }
  item.sha256 = sha256.finish_hex();
  item.md5 = wants_md5 ? md5.finish_hex() : "";
  return {};
}

// The file whose content a hard link has.
const UnpackedDeb::Item& UnpackedDeb::file_of(const Item& item) const {
  const Item* at = &item;
  while (at->kind == io::TarKind::kHardlink) {
    at = &items_[places_.find(at->link_target)->second];  // DebStream: it came before
  }
  return *at;
}

Status UnpackedDeb::describe(const ControlFiles& control) {
  contents_.control = control.at("control").content;
  for (const std::string_view name : kScripts) {
    if (control.contains(name)) {
      contents_.scripts.emplace_back(name);
    }
  }
  if (const auto found = control.find("triggers"); found != control.end()) {
    contents_.triggers = found->second.content;
  }
  if (const auto found = control.find("conffiles"); found != control.end()) {
    for (std::string& path :
         TRY(parse_conffiles(found->second.content).context("in its conffiles"))) {
      const auto place = places_.find(std::string_view(path).substr(1));
      const Item* file = place == places_.end() ? nullptr : &file_of(items_[place->second]);
      if (file == nullptr || file->kind != io::TarKind::kFile) {
        return fail(ErrorKind::kInvalid, "its conffile {} is none of its files", shown(path));
      }
      std::string md5 = file->md5;
      if (md5.empty()) {  // a conffile outside /etc
        Hasher hasher(Hasher::Algorithm::kMd5);
        TRY(bytes_.read_part(file->at, file->size_bytes, [&](std::string_view piece) -> Status {
          hasher.update(piece);
          return {};
        }));
        md5 = hasher.finish_hex();
      }
      contents_.conffiles.emplace_back(std::move(path), std::move(md5));
    }
  }
  for (const Item& item : items_) {
    const Item& file = file_of(item);
    contents_.paths.push_back({item.path, item.kind, file.mode, file.uid, file.gid});
  }
  return {};
}

// As dpkg writes it: the root, then every path in the order of the archive.
std::string UnpackedDeb::file_list(const std::unordered_set<std::string>& lost) const {
  std::string text = "/.\n";
  for (const Item& item : items_) {
    if (!lost.contains(item.path)) {
      text += fmt::format("/{}\n", item.path);
    }
  }
  return text;
}

// What dpkg makes for a package that brings none: all files but conffiles.
std::string UnpackedDeb::md5sums() const {
  std::unordered_set<std::string_view> conffiles;
  for (const auto& [path, md5] : contents_.conffiles) {
    conffiles.insert(std::string_view(path).substr(1));
  }
  std::string text;
  for (const Item& item : items_) {
    const Item& file = file_of(item);
    if (file.kind == io::TarKind::kFile && !conffiles.contains(item.path)) {
      text += fmt::format("{}  {}\n", file.md5, item.path);
    }
  }
  return text;
}

void UnpackedDeb::add_info_files(const std::unordered_set<std::string>& lost,
                                 std::map<std::string, ControlFile, InOrder>& out) const {
  const std::string base = std::string(kInfo) + info_name(record_) + ".";
  for (const auto& [name, file] : control_) {
    if (name != "control" && name != "list") {
      out[base + name] = file;
    }
  }
  out[base + "list"].content = file_list(lost);
  if (!control_.contains("md5sums")) {
    if (std::string text = md5sums(); !text.empty()) {
      out[base + "md5sums"].content = std::move(text);
    }
  }
}

Result<UnpackedDeb::Sorted> UnpackedDeb::sorted(std::span<const DirectoryAlias> aliases,
                                                const std::unordered_set<std::string>& lost) const {
  Sorted all;
  for (const Item& item : items_) {
    if (lost.contains(item.path)) {
      continue;
    }
    // A symbolic link in an alias's place is that alias: it stays.
    const bool is_alias =
        item.kind == io::TarKind::kSymlink &&
        std::ranges::find(aliases, item.path, &DirectoryAlias::path) != aliases.end();
    const std::string path = is_alias ? item.path : aliased_path(aliases, item.path);
    const auto [place, fresh] = all.try_emplace(path, &item);
    if (fresh) {
      continue;
    }
    const bool both =
        item.kind == io::TarKind::kDirectory && place->second->kind == io::TarKind::kDirectory;
    if (!both) {
      return fail(ErrorKind::kInvalid, "its {} and {} are one path where /usr is merged",
                  shown(place->second->path), shown(item.path));
    }
  }
  return all;
}

Status UnpackedDeb::write(std::span<const DirectoryAlias> aliases,
                          const std::unordered_set<std::string>& lost,
                          blob::SegmentWriter& segment) {
  const Sorted all = TRY(sorted(aliases, lost));
  std::map<std::string, ControlFile, InOrder> info;
  add_info_files(lost, info);
  std::map<const Item*, std::string> written;
  auto next = info.begin();
  const auto write_info = [&]() -> Status {
    const auto& [path, file] = *next;
    TRY(segment.file(path, file.content, file.mode));
    ++next;
    return {};
  };
  for (const auto& [path, item] : all) {
    while (next != info.end() && blob::comes_before(next->first, path)) {
      TRY(write_info());
    }
    TRY(write_item(path, *item, written, segment));
  }
  while (next != info.end()) {
    TRY(write_info());
  }
  return {};
}

// Of the names of one file, the first in order has the content.
Status UnpackedDeb::write_item(const std::string& path, const Item& item,
                               std::map<const Item*, std::string>& written,
                               blob::SegmentWriter& segment) {
  blob::TarHeader header{.path = path, .kind = item.kind};
  if (item.kind == io::TarKind::kDirectory || item.kind == io::TarKind::kSymlink) {
    header.mode = item.kind == io::TarKind::kSymlink ? 0777U : item.mode;
    header.link_target = item.link_target;
    header.uid = item.uid;
    header.gid = item.gid;
    if (item.kind == io::TarKind::kSymlink) {
      header.mtime_s = item.mtime_s;
    }
    return segment.entry(header);
  }
  const Item& file = file_of(item);
  const auto [first, fresh] = written.try_emplace(&file, path);
  if (!fresh) {
    return segment.hardlink(path, first->second);
  }
  header.kind = io::TarKind::kFile;
  header.mode = file.mode;
  header.size_bytes = file.size_bytes;
  header.mtime_s = file.mtime_s;
  header.uid = file.uid;
  header.gid = file.gid;
  header.xattrs = file.xattrs;
  TRY(segment.entry(header, file.sha256));
  return bytes_.read_part(file.at, file.size_bytes,
                          [&](std::string_view piece) { return segment.content(piece); });
}

}  // namespace cloche::source
