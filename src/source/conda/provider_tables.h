// What a CondaProvider knows so far: names, packages and requirements by number. For the files of
// the provider only.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "package/conda/match_spec.h"
#include "package/conda/version.h"
#include "resolve/ids.h"
#include "source/conda/provider.h"
#include "source/conda/repodata_index.h"

namespace cloche::source::conda_solving {

inline constexpr std::uint32_t kNone = UINT32_MAX;

// A record's index with what its string numbers mean here.
struct IndexRow {
  const RepodataIndex* index = nullptr;
  std::uint32_t channel = 0;
  std::vector<std::uint32_t> requirements;  // by string; kNone: not asked yet
};

struct SolvableRow {
  resolve::NameId name{};
  std::uint32_t index = kNone;  // IndexRow; kNone: a virtual package or one that was made up
  const index_layout::Record* record = nullptr;
  std::uint32_t version = 0;       // into NameRow::versions
  std::uint32_t tie = 0;           // candidates of a name with the same number are tied
  std::uint32_t place = kNone;     // among the tied, once they were compared
  resolve::SolvableId extra_of{};  // of a group of extras: the package
};

struct NameRow {
  std::string_view text;
  bool loaded = false;
  bool unreadable = false;               // no name, but a spec that nobody can read
  std::vector<conda::Version> versions;  // ascending, each text once
  std::vector<std::uint32_t> ranks;      // of versions: "1.0" and "1" share theirs
  std::vector<resolve::SolvableId> solvables;
  std::string extra;  // of "numpy[gpu]"
  resolve::NameId extra_of{};
  bool wants_channel = false;  // a spec of the request names the channel
  std::string channel;
};

struct RequirementRow {
  std::string text;
  conda::MatchSpec spec;
  std::vector<resolve::NameId> names;
  // Each a list of conditions that hold together; the requirement counts when one of them does. No
  // list: always (CEP 43).
  std::vector<std::vector<resolve::RequirementId>> when;
  std::vector<resolve::RequirementId> extras;  // "numpy[gpu]" of "numpy[extras=[gpu]]" (CEP 44)
  bool impossible = false;                     // it cannot be read
  bool evaluated = false;
  std::vector<resolve::SolvableId> matching;
};

class Tables {
 public:
  Tables(std::vector<ProviderChannel> all_channels, ProviderOptions all_options);
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;

  std::vector<ProviderChannel> channels;
  ProviderOptions options;

  NameRow& row(resolve::NameId id) { return names_[resolve::index(id)]; }
  const NameRow& row(resolve::NameId id) const { return names_[resolve::index(id)]; }
  SolvableRow& row(resolve::SolvableId id) { return solvables_[resolve::index(id)]; }
  const SolvableRow& row(resolve::SolvableId id) const { return solvables_[resolve::index(id)]; }
  RequirementRow& row(resolve::RequirementId id) { return requirements_[resolve::index(id)]; }
  const RequirementRow& row(resolve::RequirementId id) const {
    return requirements_[resolve::index(id)];
  }
  IndexRow& index_of(const SolvableRow& one) { return indexes_[one.index]; }
  const IndexRow& index_of(const SolvableRow& one) const { return indexes_[one.index]; }

  resolve::NameId name_id(std::string_view text);
  // One that no package has: what nobody finds by its text.
  resolve::NameId new_name(std::string_view text);
  std::uint32_t index_id(const RepodataIndex* index, std::uint32_t channel);
  // References to rows of solvables end here; those of names and requirements stay.
  resolve::SolvableId add_solvable(const SolvableRow& row);
  resolve::RequirementId add_requirement(RequirementRow row);
  // A text that stays as long as the tables.
  std::string_view keep(std::string_view text);

  std::string_view text_of(const SolvableRow& one, std::uint32_t string) const {
    return index_of(one).index->string(string);
  }
  std::string text_of(resolve::SolvableId id) const;  // "numpy 1.26.4"
  const conda::VirtualPackage* find_virtual(std::string_view name) const;
  // Every name that any channel has, in order.
  const std::vector<std::string_view>& every_name();

 private:
  std::deque<std::string> texts_;  // behind string_views
  std::unordered_map<std::string_view, resolve::NameId> name_ids_;
  std::deque<NameRow> names_;
  std::deque<IndexRow> indexes_;
  std::unordered_map<const RepodataIndex*, std::uint32_t> index_ids_;
  std::vector<SolvableRow> solvables_;
  std::deque<RequirementRow> requirements_;
  std::vector<std::string_view> every_name_;
};

inline bool is_virtual(std::string_view name) { return name.starts_with("__"); }

// Whether a spec's "conda-forge" or URL means the channel.
bool is_called(const ProviderChannel& channel, std::string_view text);

}  // namespace cloche::source::conda_solving
