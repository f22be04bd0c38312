#include "source/conda/repodata_index.h"

#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "source/conda/channel_url.h"

namespace cloche::source {

namespace {

using index_layout::Details;
using index_layout::Header;
using index_layout::Name;

// Walks through the sections; null once one does not fit.
class Sections {
 public:
  explicit Sections(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  std::span<const T> take(std::uint64_t count) {
    at_ = (at_ + alignof(T) - 1) / alignof(T) * alignof(T);
    if (at_ > bytes_.size() || count > (bytes_.size() - at_) / sizeof(T)) {
      fits_ = false;
      return {};
    }
    const auto* const first = reinterpret_cast<const T*>(bytes_.data() + at_);
    at_ += count * sizeof(T);
    return {first, count};
  }

  bool complete() const { return fits_ && at_ == bytes_.size(); }

 private:
  std::string_view bytes_;
  std::uint64_t at_ = 0;
  bool fits_ = true;
};

std::string hex(std::span<const unsigned char> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

}  // namespace

Result<RepodataIndex> RepodataIndex::open(const std::string& path) {
  RepodataIndex index;
  index.file_ = TRY(io::MappedFile::open(path));
  const std::string_view bytes = index.file_.bytes();
  return over(std::move(index), bytes).context("in {}", path);
}

Result<RepodataIndex> RepodataIndex::from_bytes(std::string bytes) {
  RepodataIndex index;
  index.owned_ = std::make_unique<std::string>(std::move(bytes));
  const std::string_view view = *index.owned_;
  return over(std::move(index), view);
}

Result<RepodataIndex> RepodataIndex::over(RepodataIndex index, std::string_view bytes) {
  Sections sections(bytes);
  const std::span<const Header> header = sections.take<Header>(1);
  if (header.empty() || std::memcmp(header[0].magic, "clochecx", 8) != 0 ||
      header[0].version != index_layout::kVersion || header[0].file_bytes != bytes.size()) {
    return fail(ErrorKind::kCorrupt, "this is no repodata index of this version");
  }
  index.header_ = header.data();
  index.string_starts_ = sections.take<std::uint64_t>(std::uint64_t{header[0].string_count} + 1);
  index.names_ = sections.take<Name>(header[0].name_count);
  index.records_ = sections.take<Record>(header[0].record_count);
  index.details_ = sections.take<Details>(header[0].record_count);
  index.list_starts_ = sections.take<std::uint32_t>(std::uint64_t{header[0].list_count} + 1);
  index.list_items_ = sections.take<std::uint32_t>(header[0].list_item_count);
  index.string_bytes_ = sections.take<char>(header[0].string_bytes);
  if (!sections.complete()) {
    return fail(ErrorKind::kCorrupt, "the repodata index is cut short");
  }
  return index;
}

std::string_view RepodataIndex::string(std::uint32_t id) const {
  if (id >= header_->string_count) {
    return {};
  }
  const std::uint64_t begin = string_starts_[id];
  const std::uint64_t end = string_starts_[id + 1];
  if (begin > end || end > string_bytes_.size()) {
    return {};
  }
  return {string_bytes_.data() + begin, end - begin};
}

std::span<const std::uint32_t> RepodataIndex::list(std::uint32_t id) const {
  if (id >= header_->list_count) {
    return {};
  }
  const std::uint32_t begin = list_starts_[id];
  const std::uint32_t end = list_starts_[id + 1];
  if (begin > end || end > list_items_.size()) {
    return {};
  }
  return list_items_.subspan(begin, end - begin);
}

std::span<const RepodataIndex::Record> RepodataIndex::records_of(std::string_view name) const {
  const auto found = std::ranges::lower_bound(names_, name, std::less<>(),
                                              [&](const Name& one) { return string(one.name); });
  if (found == names_.end() || string(found->name) != name ||
      std::uint64_t{found->first} + found->count > records_.size()) {
    return {};
  }
  return records_.subspan(found->first, found->count);
}

std::string_view RepodataIndex::name_of(const Record& record) const {
  const auto position = static_cast<std::uint32_t>(&record - records_.data());
  const auto after = std::ranges::upper_bound(names_, position, std::less<>(), &Name::first);
  return after == names_.begin() ? std::string_view() : string((after - 1)->name);
}

conda::PackageRecord RepodataIndex::package_record(const Record& record,
                                                   std::string_view channel) const {
  const auto place = static_cast<std::size_t>(&record - records_.data());
  CHECK(place < records_.size());
  const Details& details = details_[place];
  const auto texts = [&](std::uint32_t id) {
    std::vector<std::string> out;
    for (const std::uint32_t one : list(id)) {
      out.emplace_back(string(one));
    }
    return out;
  };
  conda::PackageRecord out;
  out.name = name_of(record);
  out.version = string(record.version);
  out.build = string(record.build);
  out.build_number = static_cast<std::int64_t>(record.build_number);
  out.channel = channel;
  out.subdir = subdir();
  out.file_name = string(details.file_name);
  if (out.file_name.empty()) {
    const bool conda = record.kind == static_cast<std::uint32_t>(ArchiveKind::kConda);
    out.file_name = distribution_name(out) + (conda ? ".conda" : ".tar.bz2");
  }
  out.url = package_url(std::string(channel) + "/" + out.subdir + "/repodata.json", base_url(),
                        out.file_name);
  out.size_bytes = details.size_bytes;
  out.md5 = (details.hashes & 1U) != 0 ? hex(details.md5) : std::string();
  out.sha256 = (details.hashes & 2U) != 0 ? hex(details.sha256) : std::string();
  out.depends = texts(record.depends);
  out.constrains = texts(record.constrains);
  out.track_features = texts(record.track_features);
  out.flags = texts(record.flags);
  const std::span<const std::uint32_t> extras = list(record.extra_depends);
  for (std::size_t i = 0; i + 1 < extras.size();) {
    std::vector<std::string>& specs = out.extra_depends[std::string(string(extras[i]))];
    const std::size_t end = std::min<std::size_t>(extras.size(), i + 2 + extras[i + 1]);
    for (i += 2; i < end; ++i) {
      specs.emplace_back(string(extras[i]));
    }
  }
  out.noarch = static_cast<conda::Noarch>(std::min(details.noarch, 2U));
  out.python_site_packages_path = string(details.python_site_packages_path);
  out.license = string(details.license);
  out.license_family = string(details.license_family);
  out.timestamp_ms = record.timestamp_ms;
  return out;
}

}  // namespace cloche::source
