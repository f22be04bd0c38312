// From a Packages file to an index. A general parser of paragraphs would cost more than all the
// rest, so this one looks at each line once: its first letter and length tell the field. What a
// record may be is the same as in package/debian/record.h; a test holds the two against each other.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "core/check.h"
#include "core/text.h"
#include "package/debian/record.h"
#include "package/debian/relation.h"
#include "package/debian/version.h"
#include "source/debian/package_index.h"
#include "source/debian/text_hash.h"

namespace cloche::source {
namespace {

using namespace package_index_layout;  // NOLINT(google-build-using-namespace): its own layout

constexpr std::size_t kMaxRecords = std::size_t{1} << 24U;
constexpr std::size_t kMaxProvides = std::size_t{1} << 24U;
constexpr std::uint64_t kMaxTextBytes = UINT32_MAX;
constexpr std::size_t kMaxWordBytes = 256;

enum Field : std::uint8_t {
  kPackage,
  kVersionField,
  kArchitecture,
  kFilename,
  kSize,
  kInstalledSize,
  kSha256,
  kEssential,
  kProtected,
  kImportant,
  kPriority,
  kMultiArch,
  kSection,
  kSource,
  kPreDepends,
  kDepends,
  kRecommends,
  kSuggests,
  kConflicts,
  kBreaks,
  kReplaces,
  kProvides,
  kStatus,
  kFieldCount,
};

constexpr std::array<std::string_view, kFieldCount> kFieldNames = {
    "Package",   "Version",   "Architecture", "Filename",  "Size",       "Installed-Size",
    "SHA256",    "Essential", "Protected",    "Important", "Priority",   "Multi-Arch",
    "Section",   "Source",    "Pre-Depends",  "Depends",   "Recommends", "Suggests",
    "Conflicts", "Breaks",    "Replaces",     "Provides",  "Status"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return a == b || std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

// Fields by first letter and length: at most two share one.
class FieldTable {
 public:
  FieldTable() {
    for (auto& row : rows_) {
      row.fill(kFieldCount);
    }
    for (std::uint8_t i = 0; i < kFieldCount; ++i) {
      auto& row = rows_[bucket(kFieldNames.at(i))];
      *std::ranges::find(row, kFieldCount) = i;
    }
  }

  std::uint8_t find(std::string_view name) const {
    if (name.empty()) {
      return kFieldCount;
    }
    for (const std::uint8_t field : rows_[bucket(name)]) {
      if (field < kFieldCount && same_name(kFieldNames.at(field), name)) {
        return field;
      }
    }
    return kFieldCount;
  }

 private:
  static constexpr std::size_t kLengths = 16;
  static std::size_t bucket(std::string_view name) {
    return ((static_cast<unsigned char>(lower(name[0])) & 31U) * kLengths) +
           std::min(name.size(), kLengths - 1);
  }
  std::array<std::array<std::uint8_t, 4>, 32 * kLengths> rows_{};
};

bool is_word(std::string_view text) {
  static const auto kGood = [] {
    std::array<bool, 256> out{};
    for (const char c :
         std::string_view("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
                          "WXYZ+-.~:_")) {
      out.at(static_cast<unsigned char>(c)) = true;
    }
    return out;
  }();
  return !text.empty() && text.size() <= kMaxWordBytes && text[0] != '.' && text[0] != '-' &&
         std::ranges::all_of(text, [](char c) { return kGood[static_cast<unsigned char>(c)]; });
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  for (const char c : text) {
    constexpr std::uint64_t kTooMuch = UINT64_MAX / 100;
    if (c < '0' || c > '9' || out > kTooMuch) {
      return std::nullopt;
    }
    out = (out * 10) + static_cast<std::uint64_t>(c - '0');
  }
  return out;
}

// What a hexadecimal digit is worth; of others something with the highest bit.
constexpr std::array<std::uint8_t, 256> kDigits = [] {
  std::array<std::uint8_t, 256> out{};
  out.fill(0x80);
  for (std::uint8_t i = 0; i < 16; ++i) {
    out.at(static_cast<std::size_t>("0123456789abcdef"[i])) = i;
    out.at(static_cast<std::size_t>("0123456789ABCDEF"[i])) = i;
  }
  return out;
}();

bool read_hex(std::string_view text, std::span<unsigned char> out) {
  if (text.size() != out.size() * 2) {
    return false;
  }
  unsigned all = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned high = kDigits[static_cast<unsigned char>(text[2 * i])];
    const unsigned low = kDigits[static_cast<unsigned char>(text[(2 * i) + 1])];
    all |= high | low;
    out[i] = static_cast<unsigned char>((high << 4U) | low);
  }
  return (all & 0x80U) == 0;
}

template <class T>
void append_section(std::string& out, std::span<const T> items) {
  out.resize((out.size() + alignof(T) - 1) / alignof(T) * alignof(T));
  out.append(reinterpret_cast<const char*>(items.data()), items.size_bytes());
}

class Maker {
 public:
  Maker(std::string_view text, ParagraphsOf kind) : text_(text), kind_(kind) {
    constexpr std::size_t kParagraphBytes = 700;  // few are shorter
    const std::size_t expected = std::min(text.size() / kParagraphBytes, kMaxRecords);
    records_.reserve(expected);
    details_.reserve(expected);
    // Reserved is not used: what is more than the index is given back untouched.
    out_.reserve(text.size() + (std::size_t{64} << 10U));
    out_.resize(sizeof(Header));
    slots_.resize(std::bit_ceil(std::max<std::size_t>(expected * 2, 4096)));
  }

  Result<std::string> run() && {
    if (text_.size() > kMaxTextBytes) {
      return corrupt("the file is too large");
    }
    while (at_ < text_.size()) {
      TRY(paragraph());
    }
    return write();
  }

 private:
  Error corrupt(std::string_view why) const {
    return fail(ErrorKind::kCorrupt, "line {}: {}", line_, why);
  }

  // --- one paragraph

  // Of all lines up to an empty one; then add().
  Status paragraph() {
    values_.fill({});
    seen_ = 0;
    std::string_view* open = nullptr;  // the value that a continuation extends
    std::size_t value_at = 0;
    bool any = false;
    while (at_ < text_.size()) {
      const std::size_t begin = at_;
      const std::size_t end = std::min(text_.find('\n', begin), text_.size());
      at_ = std::min(end + 1, text_.size());
      ++line_;
      const std::string_view line = text_.substr(begin, end - begin);
      if (line.empty() || (is_blank(line[0]) && trim(line).empty())) {
        if (any) {
          break;
        }
        continue;
      }
      if (line[0] == ' ' || line[0] == '\t') {
        if (!any) {
          return corrupt("this line continues no field");
        }
        if (open != nullptr) {
          *open = text_.substr(value_at, end - value_at);
        }
        continue;
      }
      any = true;
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos) {
        return corrupt("this line is no field");
      }
      const std::uint8_t field = table_.find(line.substr(0, colon));
      open = nullptr;
      if (field < kFieldCount) {
        if ((seen_ >> field & 1U) != 0) {
          return corrupt("the field stands twice");
        }
        seen_ |= std::uint32_t{1} << field;
        open = &values_.at(field);
        value_at = begin + colon + 1;
        *open = text_.substr(value_at, end - value_at);
      }
    }
    return any ? add() : Status();
  }

  std::string_view value(Field field) const { return trim(values_.at(field)); }

  // What dpkg has: "install ok installed", "hold ok unpacked"; not "deinstall ok config-files".
  bool counts() const {
    if (kind_ == ParagraphsOf::kPackages) {
      return true;
    }
    const std::string_view status = value(kStatus);
    return !status.ends_with(" not-installed") && !status.ends_with(" config-files");
  }

  Status add() {
    if (!counts()) {
      return {};
    }
    const std::string_view package = value(kPackage);
    if (!is_word(package) || !is_word(value(kVersionField)) || !is_word(value(kArchitecture))) {
      return corrupt(
          fmt::format("the paragraph of '{}' has no good Package, Version or Architecture",
                      printable(package.substr(0, kMaxWordBytes))));
    }
    if (records_.size() == kMaxRecords) {
      return corrupt("too many packages");
    }
    Record record{};
    record.name = name_place(package);
    record.essential = value(kEssential) == "yes" ? 1 : 0;
    record.is_protected = value(kProtected) == "yes" || value(kImportant) == "yes" ? 1 : 0;
    record.priority = static_cast<std::uint8_t>(debian::priority_of(value(kPriority)));
    record.multi_arch = static_cast<std::uint8_t>(debian::multi_arch_of(value(kMultiArch)));
    record.version = keep(value(kVersionField));
    record.architecture = keep_again(value(kArchitecture), architecture_);
    record.pre_depends = keep(value(kPreDepends));
    record.depends = keep(value(kDepends));
    record.conflicts = keep(value(kConflicts));
    record.breaks = keep(value(kBreaks));
    record.provides = keep(value(kProvides));
    record.source = keep(value(kSource));
    Details details{};
    TRY(fill(details));
    TRY(add_provides());
    records_.push_back(record);
    details_.push_back(details);
    return text_bytes() > kMaxTextBytes ? Status(corrupt("the file is too large")) : Status();
  }

  Status fill(Details& details) {
    const auto size = number(value(kSize));
    const auto installed = number(value(kInstalledSize));
    const auto file = debian::path_in_archive(value(kFilename));
    if (!size || !installed || !file) {
      return corrupt("a bad Size, Installed-Size or Filename");
    }
    details.size_bytes = *size;
    details.installed_kib = *installed;
    details.filename = keep(*file);
    details.section = keep_again(value(kSection), section_);
    details.recommends = keep(value(kRecommends));
    details.suggests = keep(value(kSuggests));
    details.replaces = keep(value(kReplaces));
    if (const std::string_view sha256 = value(kSha256); !sha256.empty()) {
      details.has_sha256 = 1;
      if (!read_hex(sha256, details.sha256)) {
        return corrupt("a bad SHA256");
      }
    }
    return {};
  }

  Status add_provides() {
    const std::string_view text = value(kProvides);
    if (text.empty()) {
      return {};
    }
    const auto relations = debian::parse_relations(text);
    if (!relations) {
      return corrupt(fmt::format("Provides: {}", relations.error().message));
    }
    for (const debian::Alternatives& group : *relations) {
      const debian::Relation& one = group.front();
      const bool versioned = one.comparison == debian::Comparison::kEqual;
      if (provides_.size() == kMaxProvides) {
        return corrupt("too many Provides");
      }
      provided_.push_back(name_place(one.name));
      provides_.push_back({static_cast<std::uint32_t>(records_.size()),
                           versioned ? keep(one.version) : Text{0, 0}});
    }
    return {};
  }

  // --- texts and names

  Text keep(std::string_view text) {
    if (text.empty()) {
      return {0, 0};
    }
    const auto begin = static_cast<std::uint32_t>(text_bytes());
    out_ += text;
    return {begin, static_cast<std::uint32_t>(text.size())};
  }

  // Neighbours mostly say the same.
  Text keep_again(std::string_view text, Text& last) {
    if (text_of(last) != text) {
      last = keep(text);
    }
    return last;
  }

  std::string_view text_of(Text text) const {
    return std::string_view(out_).substr(sizeof(Header) + text.begin, text.length);
  }

  std::size_t text_bytes() const { return out_.size() - sizeof(Header); }

  std::uint32_t name_place(std::string_view name) {
    const std::uint32_t hash = text_hash(name);
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash & mask;
    while (slots_[slot] != 0) {
      const std::uint32_t place = slots_[slot] - 1;
      if (hashes_[place] == hash && text_of(names_[place].name) == name) {
        return place;
      }
      slot = (slot + 1) & mask;
    }
    names_.push_back({keep(name), 0, 0, 0, 0});
    hashes_.push_back(hash);
    slots_[slot] = static_cast<std::uint32_t>(names_.size());
    if (names_.size() * 2 > slots_.size()) {
      grow();
    }
    return static_cast<std::uint32_t>(names_.size() - 1);
  }

  void grow() {
    slots_.assign(slots_.size() * 2, 0);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      std::size_t slot = hashes_[i] & mask;
      while (slots_[slot] != 0) {
        slot = (slot + 1) & mask;
      }
      slots_[slot] = static_cast<std::uint32_t>(i + 1);
    }
  }

  // --- the file

  // The order that puts records together by name, the newest first of each; `places` says where
  // each went.
  std::vector<std::uint32_t> record_order(std::vector<std::uint32_t>& places) {
    for (const Record& record : records_) {
      ++names_[record.name].record_count;
    }
    std::uint32_t next = 0;
    for (Name& name : names_) {
      name.first_record = next;
      next += name.record_count;
    }
    std::vector<std::uint32_t> order(records_.size());
    std::vector<std::uint32_t> filled(names_.size());
    for (std::uint32_t i = 0; i < records_.size(); ++i) {
      const std::uint32_t name = records_[i].name;
      order[names_[name].first_record + filled[name]++] = i;
    }
    for (const Name& name : names_) {
      const auto begin = order.begin() + name.first_record;
      std::stable_sort(begin, begin + name.record_count, [&](std::uint32_t a, std::uint32_t b) {
        return debian::compare_versions(text_of(records_[a].version),
                                        text_of(records_[b].version)) > 0;
      });
    }
    places.resize(records_.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      places[order[i]] = i;
    }
    return order;
  }

  std::vector<Provide> ordered_provides(const std::vector<std::uint32_t>& places) {
    for (const std::uint32_t name : provided_) {
      ++names_[name].provide_count;
    }
    std::uint32_t next = 0;
    for (Name& name : names_) {
      name.first_provide = next;
      next += name.provide_count;
    }
    std::vector<Provide> out(provides_.size());
    std::vector<std::uint32_t> filled(names_.size());
    for (std::size_t i = 0; i < provides_.size(); ++i) {
      const std::uint32_t name = provided_[i];
      out[names_[name].first_provide + filled[name]++] = {places[provides_[i].record],
                                                          provides_[i].version};
    }
    return out;
  }

  Result<std::string> write() {
    std::vector<std::uint32_t> places;
    const std::vector<std::uint32_t> order = record_order(places);
    const std::vector<Provide> provides = ordered_provides(places);
    std::vector<Record> records;
    std::vector<Details> details;
    records.reserve(order.size());
    details.reserve(order.size());
    for (const std::uint32_t i : order) {
      records.push_back(records_[i]);
      details.push_back(details_[i]);
    }
    Header header{};
    std::memcpy(header.magic, "clochedx", sizeof(header.magic));
    header.version = kVersion;
    header.name_count = static_cast<std::uint32_t>(names_.size());
    header.record_count = static_cast<std::uint32_t>(records.size());
    header.provide_count = static_cast<std::uint32_t>(provides.size());
    header.slot_count = static_cast<std::uint32_t>(slots_.size());
    header.text_bytes = static_cast<std::uint32_t>(text_bytes());
    append_section(out_, std::span<const Details>(details));
    append_section(out_, std::span<const Name>(names_));
    append_section(out_, std::span<const Record>(records));
    append_section(out_, std::span<const Provide>(provides));
    append_section(out_, std::span<const std::uint32_t>(slots_));
    header.file_bytes = out_.size();
    std::memcpy(out_.data(), &header, sizeof(header));
    return std::move(out_);
  }

  std::string_view text_;
  ParagraphsOf kind_;
  std::size_t at_ = 0;
  std::int64_t line_ = 0;
  FieldTable table_;
  std::array<std::string_view, kFieldCount> values_;
  std::uint32_t seen_ = 0;  // a bit for each field

  std::string out_;  // room for the header, then the texts; all else follows in write()
  Text architecture_{0, 0};
  Text section_{0, 0};
  std::vector<Name> names_;
  std::vector<std::uint32_t> hashes_;
  std::vector<std::uint32_t> slots_;  // open addressing; 0 is free, else a place and 1
  std::vector<Record> records_;
  std::vector<Details> details_;
  std::vector<Provide> provides_;        // `record` as read
  std::vector<std::uint32_t> provided_;  // the name of each
};

}  // namespace

Result<std::string> make_package_index(std::string_view packages, ParagraphsOf kind) {
  return Maker(packages, kind).run();
}

}  // namespace cloche::source
