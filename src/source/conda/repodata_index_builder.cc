#include "source/conda/repodata_index_builder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace cloche::source {

namespace {

constexpr unsigned char kNoDigit = 0x80;  // in parse_hex()'s table
constexpr std::uint64_t kPrime1 = 0x9e3779b97f4a7c15U;
constexpr std::uint64_t kPrime2 = 0xd6e8feb86659fd93U;

__extension__ using Wide = unsigned __int128;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

std::uint64_t read_up_to_8(const char* data, std::size_t size) {
  std::uint64_t out = 0;
  std::memcpy(&out, data, std::min<std::size_t>(size, 8));
  return out;
}

struct Hash128 {
  std::uint64_t a = kPrime1;
  std::uint64_t b = kPrime2;
};

// Fast and good enough for tables: two lanes, each fed with every byte.
Hash128 hash(std::string_view text) {
  Hash128 out;
  const char* data = text.data();
  std::size_t left = text.size();
  for (; left > 16; data += 16, left -= 16) {
    const std::uint64_t first = read_up_to_8(data, 8);
    const std::uint64_t second = read_up_to_8(data + 8, 8);
    out.a = mix(first ^ out.a, second ^ kPrime1);
    out.b = mix(second ^ out.b, first ^ kPrime2);
  }
  const std::uint64_t first = read_up_to_8(data, left);
  const std::uint64_t second = left > 8 ? read_up_to_8(data + 8, left - 8) : 0;
  out.a = mix(mix(first ^ out.a, second ^ kPrime1), text.size() ^ kPrime2);
  out.b = mix(mix(second ^ out.b, first ^ kPrime2), text.size() ^ kPrime1);
  return out;
}

template <class T>
std::string_view bytes_of(std::span<const T> items) {
  return {reinterpret_cast<const char*>(items.data()), items.size_bytes()};
}

}  // namespace

StringTable::StringTable() : starts_{0, 0}, hashes_{0}, slots_(1024) {}

std::string_view StringTable::text(std::uint32_t id) const {
  return std::string_view(bytes_).substr(starts_[id], starts_[id + 1] - starts_[id]);
}

std::uint32_t StringTable::add(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  const auto hashed = static_cast<std::uint32_t>(hash(text).a);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hashed & mask;; slot = (slot + 1) & mask) {
    const std::uint32_t id = slots_[slot];
    if (id == 0) {
      slots_[slot] = count();
      break;
    }
    if (hashes_[id] == hashed && this->text(id) == text) {
      return id;
    }
  }
  bytes_ += text;
  starts_.push_back(bytes_.size());
  hashes_.push_back(hashed);
  if (std::size_t{count()} * 2 > slots_.size()) {
    grow();
  }
  return count() - 1;
}

void StringTable::grow() {
  std::vector<std::uint32_t> slots(slots_.size() * 2);
  const std::size_t mask = slots.size() - 1;
  for (std::uint32_t id = 1; id < count(); ++id) {
    std::size_t slot = hashes_[id] & mask;
    while (slots[slot] != 0) {
      slot = (slot + 1) & mask;
    }
    slots[slot] = id;
  }
  slots_ = std::move(slots);
}

std::uint32_t RepodataIndexBuilder::list(std::span<const std::uint32_t> items) {
  if (items.empty()) {
    return 0;
  }
  list_items_.insert(list_items_.end(), items.begin(), items.end());
  list_starts_.push_back(static_cast<std::uint32_t>(list_items_.size()));
  return static_cast<std::uint32_t>(list_starts_.size() - 2);
}

std::size_t RepodataIndexBuilder::known_slot(const RawKey& key) const {
  const std::size_t mask = known_.size() - 1;
  std::size_t slot = key.a & mask;
  while (known_[slot].used && known_[slot].key != key) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

RepodataIndexBuilder::RawKey RepodataIndexBuilder::raw_key(std::string_view raw) {
  const Hash128 hashed = hash(raw);
  return {hashed.a, hashed.b};
}

std::optional<std::uint32_t> RepodataIndexBuilder::known_list(const RawKey& key) const {
  if (known_.empty()) {
    return std::nullopt;
  }
  const KnownList& found = known_[known_slot(key)];
  return found.used ? std::optional(found.list) : std::nullopt;
}

void RepodataIndexBuilder::remember_list(const RawKey& key, std::uint32_t list) {
  if (known_count_ * 2 >= known_.size()) {
    const std::vector<KnownList> before = std::exchange(
        known_, std::vector<KnownList>(std::max<std::size_t>(1024, known_.size() * 2)));
    for (const KnownList& one : before) {
      if (one.used) {
        known_[known_slot(one.key)] = one;
      }
    }
  }
  known_[known_slot(key)] = {key, list, true};
  ++known_count_;
}

void RepodataIndexBuilder::expect(std::uint64_t json_bytes) {
  constexpr std::uint64_t kBytesOfARecord = 480;  // conda-forge's have some 510
  constexpr std::uint64_t kMost = 2'000'000;      // a stated size is no promise
  const std::size_t count = std::min(json_bytes / kBytesOfARecord, kMost);
  names_.reserve(count);
  records_.reserve(count);
  details_.reserve(count);
}

void RepodataIndexBuilder::add(const Entry& entry) {
  names_.push_back(entry.name);
  records_.push_back(entry.record);
  details_.push_back(entry.details);
}

void RepodataIndexBuilder::add(const conda::PackageRecord& record) {
  const auto texts = [&](const std::vector<std::string>& all) {
    std::vector<std::uint32_t> ids;
    ids.reserve(all.size());
    for (const std::string& one : all) {
      ids.push_back(strings_.add(one));
    }
    return list(ids);
  };
  Entry entry;
  entry.name = strings_.add(record.name);
  entry.record.version = strings_.add(record.version);
  entry.record.build = strings_.add(record.build);
  entry.record.build_number = static_cast<std::uint64_t>(record.build_number);
  entry.record.timestamp_ms = record.timestamp_ms;
  entry.record.depends = texts(record.depends);
  entry.record.constrains = texts(record.constrains);
  entry.record.track_features = texts(record.track_features);
  entry.record.flags = texts(record.flags);
  std::vector<std::uint32_t> extras;
  for (const auto& [extra, specs] : record.extra_depends) {
    extras.push_back(strings_.add(extra));
    extras.push_back(static_cast<std::uint32_t>(specs.size()));
    for (const std::string& spec : specs) {
      extras.push_back(strings_.add(spec));
    }
  }
  entry.record.extra_depends = list(extras);
  const bool bz2 = record.file_name.ends_with(".tar.bz2");
  entry.record.kind = static_cast<std::uint32_t>(bz2 ? ArchiveKind::kTarBz2 : ArchiveKind::kConda);
  if (record.file_name != distribution_name(record) + (bz2 ? ".tar.bz2" : ".conda")) {
    entry.details.file_name = strings_.add(record.file_name);
  }
  entry.details.size_bytes = record.size_bytes;
  entry.details.license = strings_.add(record.license);
  entry.details.license_family = strings_.add(record.license_family);
  entry.details.python_site_packages_path = strings_.add(record.python_site_packages_path);
  entry.details.noarch = static_cast<std::uint32_t>(record.noarch);
  entry.details.hashes = (parse_hex(record.md5, entry.details.md5) ? 1U : 0U) |
                         (parse_hex(record.sha256, entry.details.sha256) ? 2U : 0U);
  add(entry);
}

// `order` has the records of one name. Equal texts have equal ids, so ids decide.
void RepodataIndexBuilder::drop_duplicates(std::vector<std::uint32_t>& order) const {
  const auto key = [&](std::uint32_t i) {
    return std::pair(records_[i].version, records_[i].build);
  };
  std::vector<std::uint32_t> best = order;
  std::ranges::sort(best, [&](std::uint32_t a, std::uint32_t b) {
    return std::tuple(key(a), records_[a].kind, b) < std::tuple(key(b), records_[b].kind, a);
  });
  const auto rest =
      std::ranges::unique(best, [&](std::uint32_t a, std::uint32_t b) { return key(a) == key(b); });
  if (rest.empty()) {
    return;
  }
  best.erase(rest.begin(), rest.end());
  std::ranges::sort(best);
  order = std::move(best);
}

Status RepodataIndexBuilder::finish(const std::function<Status(std::string_view)>& write) && {
  // Where each name's records are, names in their own order.
  std::vector<std::uint32_t> by_name(records_.size());
  {
    std::vector<std::uint32_t> starts(std::size_t{strings_.count()} + 1);
    for (const std::uint32_t name : names_) {
      ++starts[name + 1];
    }
    for (std::size_t i = 1; i < starts.size(); ++i) {
      starts[i] += starts[i - 1];
    }
    for (std::uint32_t i = 0; i < names_.size(); ++i) {
      by_name[starts[names_[i]]++] = i;
    }
  }
  struct Group {
    std::uint32_t name;
    std::vector<std::uint32_t> records;
  };
  std::vector<Group> groups;
  for (std::size_t i = 0; i < by_name.size();) {
    Group group{names_[by_name[i]], {}};
    for (; i < by_name.size() && names_[by_name[i]] == group.name; ++i) {
      group.records.push_back(by_name[i]);
    }
    drop_duplicates(group.records);
    groups.push_back(std::move(group));
  }
  std::ranges::sort(groups, std::less<>(),
                    [&](const Group& group) { return strings_.text(group.name); });

  std::vector<index_layout::Name> names;
  std::vector<std::uint32_t> order;
  order.reserve(records_.size());
  for (const Group& group : groups) {
    names.push_back({group.name, static_cast<std::uint32_t>(order.size()),
                     static_cast<std::uint32_t>(group.records.size())});
    order.insert(order.end(), group.records.begin(), group.records.end());
  }

  index_layout::Header header{};
  std::memcpy(header.magic, "clochecx", 8);
  header.version = index_layout::kVersion;
  header.subdir = subdir_;
  header.base_url = base_url_;
  header.string_count = strings_.count();
  header.list_count = static_cast<std::uint32_t>(list_starts_.size() - 1);
  header.list_item_count = static_cast<std::uint32_t>(list_items_.size());
  header.name_count = static_cast<std::uint32_t>(names.size());
  header.record_count = static_cast<std::uint32_t>(order.size());
  header.string_bytes = strings_.bytes().size();

  std::uint64_t written = 0;
  const auto put = [&](std::string_view bytes) -> Status {
    written += bytes.size();
    return write(bytes);
  };
  const auto aligned = [](std::uint64_t at) { return (at + 7) / 8 * 8; };
  const std::uint64_t name_bytes = names.size() * sizeof(index_layout::Name);
  header.file_bytes =
      aligned(sizeof header + (strings_.starts().size() * 8) + name_bytes) +
      (order.size() * (sizeof(index_layout::Record) + sizeof(index_layout::Details))) +
      ((list_starts_.size() + list_items_.size()) * 4) + strings_.bytes().size();

  TRY(put(bytes_of(std::span<const index_layout::Header>(&header, 1))));
  TRY(put(bytes_of(std::span<const std::uint64_t>(strings_.starts()))));
  TRY(put(bytes_of(std::span<const index_layout::Name>(names))));
  static constexpr std::array<char, 8> kPadding{};
  TRY(put({kPadding.data(), aligned(written) - written}));

  // Permuted through a small buffer: the whole is never there twice.
  constexpr std::size_t kBatch = 4096;
  const auto put_permuted = [&](const auto& items) -> Status {
    using Item = typename std::remove_cvref_t<decltype(items)>::value_type;
    std::vector<Item> batch;
    for (std::size_t begin = 0; begin < order.size(); begin += kBatch) {
      batch.clear();
      for (std::size_t i = begin; i < std::min(order.size(), begin + kBatch); ++i) {
        batch.push_back(items[order[i]]);
      }
      TRY(put(bytes_of(std::span<const Item>(batch))));
    }
    return {};
  };
  TRY(put_permuted(records_));
  TRY(put_permuted(details_));
  TRY(put(bytes_of(std::span<const std::uint32_t>(list_starts_))));
  TRY(put(bytes_of(std::span<const std::uint32_t>(list_items_))));
  return put(strings_.bytes());
}

Result<RepodataIndex> RepodataIndexBuilder::finish() && {
  std::string bytes;
  TRY(std::move(*this).finish([&](std::string_view piece) -> Status {
    bytes += piece;
    return {};
  }));
  return RepodataIndex::from_bytes(std::move(bytes));
}

bool parse_hex(std::string_view text, std::span<unsigned char> out) {
  static constexpr auto kValues = [] {
    std::array<unsigned char, 256> values{};
    values.fill(kNoDigit);
    for (unsigned char i = 0; i < 10; ++i) {
      values.at('0' + i) = i;
    }
    for (unsigned char i = 0; i < 6; ++i) {
      values.at('a' + i) = values.at('A' + i) = static_cast<unsigned char>(10 + i);
    }
    return values;
  }();
  if (text.size() != out.size() * 2) {
    return false;
  }
  unsigned wrong = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned high = kValues[static_cast<unsigned char>(text[2 * i])];
    const unsigned low = kValues[static_cast<unsigned char>(text[(2 * i) + 1])];
    wrong |= high | low;
    out[i] = static_cast<unsigned char>((high << 4U) | (low & 15U));
  }
  if ((wrong & kNoDigit) != 0) {
    std::ranges::fill(out, static_cast<unsigned char>(0));
    return false;
  }
  return true;
}

}  // namespace cloche::source
