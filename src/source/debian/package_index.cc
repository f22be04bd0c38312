#include "source/debian/package_index.h"

#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "source/debian/text_hash.h"

namespace cloche::source {
namespace {

using namespace package_index_layout;  // NOLINT(google-build-using-namespace): its own layout

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

template <class T>
std::span<const T> part(std::span<const T> all, std::uint64_t first, std::uint64_t count) {
  return first + count > all.size() ? std::span<const T>() : all.subspan(first, count);
}

}  // namespace

Result<PackageIndex> PackageIndex::open(const std::string& path) {
  PackageIndex index;
  index.file_ = TRY(io::MappedFile::open(path));
  const std::string_view bytes = index.file_.bytes();
  return over(std::move(index), bytes).context("in {}", path);
}

Result<PackageIndex> PackageIndex::from_bytes(std::string bytes) {
  PackageIndex index;
  index.owned_ = std::make_unique<std::string>(std::move(bytes));
  const std::string_view view = *index.owned_;
  return over(std::move(index), view);
}

Result<PackageIndex> PackageIndex::over(PackageIndex index, std::string_view bytes) {
  Sections sections(bytes);
  const std::span<const Header> header = sections.take<Header>(1);
  if (header.empty() || std::memcmp(header[0].magic, "clochedx", 8) != 0 ||
      header[0].version != kVersion || header[0].file_bytes != bytes.size() ||
      (header[0].slot_count & (header[0].slot_count - 1)) != 0) {
    return fail(ErrorKind::kCorrupt, "this is no package index of this version");
  }
  index.texts_ = sections.take<char>(header[0].text_bytes);
  index.details_ = sections.take<Details>(header[0].record_count);
  index.names_ = sections.take<Name>(header[0].name_count);
  index.records_ = sections.take<Record>(header[0].record_count);
  index.provides_ = sections.take<Provide>(header[0].provide_count);
  index.slots_ = sections.take<std::uint32_t>(header[0].slot_count);
  if (!sections.complete()) {
    return fail(ErrorKind::kCorrupt, "the package index is cut short");
  }
  return index;
}

const PackageIndex::Name* PackageIndex::find(std::string_view name) const {
  if (slots_.empty()) {
    return nullptr;
  }
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = text_hash(name) & mask;
  // A damaged table may have no free slot: once around is enough.
  for (std::size_t tries = 0; tries < slots_.size(); ++tries, slot = (slot + 1) & mask) {
    const std::uint32_t place = slots_[slot];
    if (place == 0 || place > names_.size()) {
      return nullptr;
    }
    if (text(names_[place - 1].name) == name) {
      return &names_[place - 1];
    }
  }
  return nullptr;
}

std::span<const PackageIndex::Record> PackageIndex::records_of(const Name& name) const {
  return part(records_, name.first_record, name.record_count);
}

std::span<const PackageIndex::Provide> PackageIndex::providers_of(const Name& name) const {
  return part(provides_, name.first_provide, name.provide_count);
}

std::string_view PackageIndex::text(Text text) const {
  const std::span<const char> chars = part(texts_, text.begin, text.length);
  return {chars.data(), chars.size()};
}

std::string_view PackageIndex::name_of(const Record& record) const {
  return record.name < names_.size() ? text(names_[record.name].name) : std::string_view();
}

const PackageIndex::Record* PackageIndex::record(std::uint32_t place) const {
  return place < records_.size() ? &records_[place] : nullptr;
}

debian::PackageRecord PackageIndex::package_record(const Record& record) const {
  const auto place = static_cast<std::size_t>(&record - records_.data());
  CHECK(place < records_.size());
  const Details& details = details_[place];
  debian::PackageRecord out;
  out.name = name_of(record);
  out.version = text(record.version);
  out.architecture = text(record.architecture);
  out.filename = text(details.filename);
  out.size_bytes = details.size_bytes;
  out.installed_kib = details.installed_kib;
  out.sha256 = details.has_sha256 != 0 ? hex(details.sha256) : std::string();
  out.essential = record.essential != 0;
  out.is_protected = record.is_protected != 0;
  out.priority = static_cast<debian::Priority>(
      std::min(record.priority, static_cast<std::uint8_t>(debian::Priority::kExtra)));
  out.multi_arch = static_cast<debian::MultiArch>(
      std::min(record.multi_arch, static_cast<std::uint8_t>(debian::MultiArch::kAllowed)));
  out.section = text(details.section);
  out.source = text(record.source);
  out.pre_depends = text(record.pre_depends);
  out.depends = text(record.depends);
  out.recommends = text(details.recommends);
  out.suggests = text(details.suggests);
  out.conflicts = text(record.conflicts);
  out.breaks = text(record.breaks);
  out.replaces = text(details.replaces);
  out.provides = text(record.provides);
  return out;
}

}  // namespace cloche::source
