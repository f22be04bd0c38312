// Everything is lazy. A name is loaded (its records found in the channels, its versions parsed and
// ordered) when the solver first asks for it; a spec is parsed when a chosen package has it among
// its dependencies, once however many packages do; what it matches is worked out when the solver
// asks. Two candidates with the same version and build number are compared by their dependencies
// only when the solver has to choose between them.
//
// The solvables of a name have neighbouring ids in the order of preference, so "the candidates that
// match, most wanted first" is a filter, never a sort.
#include "source/conda/provider.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "core/text.h"
#include "package/conda/matching.h"
#include "package/conda/version.h"

namespace cloche::source {

namespace {

using conda::ChannelPriority;
using conda::MatchSpec;
using conda::RecordMatcher;
using conda::RecordView;
using conda::Version;
using conda::VirtualPackage;
using index_layout::Record;
using resolve::Dependencies;
using resolve::Dependency;
using resolve::NameId;
using resolve::RequirementId;
using resolve::SolvableId;

constexpr std::uint32_t kNone = UINT32_MAX;

// A record's index with what its string numbers mean here.
struct IndexState {
  const RepodataIndex* index = nullptr;
  std::uint32_t channel = 0;
  std::vector<std::uint32_t> requirements;  // by string; kNone: not asked yet
};

struct Solvable {
  NameId name{};
  std::uint32_t index_state = kNone;  // kNone: a virtual package or a group of extras
  const Record* record = nullptr;
  std::uint32_t version = 0;    // into NameState::versions
  std::uint32_t tie = 0;        // candidates of a name with the same number are tied
  std::uint32_t place = kNone;  // among the tied, once they were compared
  SolvableId extra_of{};        // of a group of extras: the package
};

struct NameState {
  std::string_view text;
  bool loaded = false;
  std::uint32_t first = 0;  // solvable
  std::uint32_t count = 0;
  std::vector<Version> versions;      // ascending, each meaning once
  std::vector<SolvableId> solvables;  // the same as first and count, for spans
  std::string extra;                  // of "numpy[gpu]"
  NameId extra_of{};
  bool wants_channel = false;  // a spec of the request names the channel
  std::string channel;
};

struct RequirementState {
  std::string text;
  MatchSpec spec;
  std::vector<NameId> names;
  // Each a list of conditions that hold together; the requirement counts when one of them does. No
  // list: always (CEP 43).
  std::vector<std::vector<RequirementId>> when;
  std::vector<RequirementId> extras;  // "numpy[gpu]" of "numpy[extras=[gpu]]" (CEP 44)
  bool impossible = false;            // it cannot be read
  bool evaluated = false;
  std::vector<SolvableId> matching;
};

// What decides between two candidates before their dependencies are looked at.
struct SortKey {
  bool favoured = false;
  bool has_features = false;
  std::uint32_t channel = 0;
  std::uint32_t version = 0;
  std::uint64_t build_number = 0;
  std::uint32_t late_channel = 0;

  auto tie() const {
    return std::tuple(!favoured, has_features, channel, ~version, ~build_number, late_channel);
  }
  auto operator<=>(const SortKey& other) const { return tie() <=> other.tie(); }
  bool operator==(const SortKey& other) const { return tie() == other.tie(); }
};

}  // namespace

struct CondaProvider::State {
  State(std::vector<ProviderChannel> all, ProviderOptions given)
      : channels(std::move(all)), options(std::move(given)) {}

  std::vector<ProviderChannel> channels;
  ProviderOptions options;
  std::deque<std::string> texts;  // behind string_views
  std::unordered_map<std::string_view, NameId> name_ids;
  std::deque<NameState> names;
  std::deque<IndexState> indexes;
  std::unordered_map<const RepodataIndex*, std::uint32_t> index_ids;
  std::vector<Solvable> solvables;
  std::unordered_map<std::string_view, RequirementId> requirement_ids;
  std::deque<RequirementState> requirements;
  std::vector<std::string_view> every_name;  // filled when a message or a glob needs it

  // --- names ------------------------------------------------------------------------------------

  NameId name_id(std::string_view text) {
    if (const auto found = name_ids.find(text); found != name_ids.end()) {
      return found->second;
    }
    const auto id = static_cast<NameId>(names.size());
    texts.emplace_back(text);
    names.emplace_back().text = texts.back();
    name_ids.emplace(texts.back(), id);
    return id;
  }

  NameState& state(NameId id) { return names[resolve::index(id)]; }
  RequirementState& state(RequirementId id) { return requirements[resolve::index(id)]; }
  Solvable& state(SolvableId id) { return solvables[resolve::index(id)]; }

  std::uint32_t index_id(const RepodataIndex* index, std::uint32_t channel) {
    const auto [place, added] =
        index_ids.try_emplace(index, static_cast<std::uint32_t>(indexes.size()));
    if (added) {
      indexes.push_back({index, channel, {}});
    }
    return place->second;
  }

  bool channel_serves(const ProviderChannel& channel, const NameState& name) const {
    if (name.wants_channel) {
      return channel.name == name.channel || channel.url == name.channel ||
             channel.url.ends_with("/" + name.channel);
    }
    return !channel.only_when_named;
  }

  // Every record of a name, as a strict priority leaves it.
  Status find_records(NameId id, std::vector<Solvable>& out) {
    for (std::uint32_t i = 0; i < channels.size(); ++i) {
      ProviderChannel& channel = channels[i];
      if (!channel_serves(channel, state(id))) {
        continue;
      }
      const std::size_t before = out.size();
      for (const std::unique_ptr<RecordSource>& subdir : channel.subdirs) {
        const RecordSource::Found found = TRY(subdir->records_of(state(id).text));
        for (const Record& record : found.records) {
          Solvable one;
          one.name = id;
          one.index_state = index_id(found.index, i);
          one.record = &record;
          out.push_back(one);
        }
      }
      if (out.size() > before && options.priority == ChannelPriority::kStrict) {
        break;
      }
    }
    return {};
  }

  std::string_view text_of(const Solvable& one, std::uint32_t string) const {
    return indexes[one.index_state].index->string(string);
  }

  // Parses and orders the versions of a name and gives every solvable its own. A record whose
  // version cannot be read is left out: nothing could ask for it.
  void order_versions(NameState& name, std::vector<Solvable>& found) {
    std::unordered_map<std::string_view, std::uint32_t> by_text;
    std::vector<std::optional<Version>> parsed;
    std::uint32_t last_string = kNone;
    std::uint32_t last_index = kNone;
    std::uint32_t last_version = 0;
    for (Solvable& one : found) {
      if (one.record->version != last_string || one.index_state != last_index) {
        last_string = one.record->version;
        last_index = one.index_state;
        const std::string_view text = text_of(one, last_string);
        const auto [place, added] =
            by_text.try_emplace(text, static_cast<std::uint32_t>(parsed.size()));
        if (added) {
          auto version = Version::parse(text);
          parsed.push_back(version ? std::optional(std::move(*version)) : std::nullopt);
        }
        last_version = place->second;
      }
      one.version = last_version;
    }
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < parsed.size(); ++i) {
      if (parsed[i]) {
        order.push_back(i);
      }
    }
    std::ranges::stable_sort(
        order, [&](std::uint32_t a, std::uint32_t b) { return *parsed[a] < *parsed[b]; });
    std::vector<std::uint32_t> rank(parsed.size(), kNone);
    for (const std::uint32_t i : order) {
      if (name.versions.empty() || name.versions.back() != *parsed[i]) {
        name.versions.push_back(std::move(*parsed[i]));
      }
      rank[i] = static_cast<std::uint32_t>(name.versions.size() - 1);
    }
    for (Solvable& one : found) {
      one.version = rank[one.version];
    }
    std::erase_if(found, [](const Solvable& one) { return one.version == kNone; });
  }

  bool favoured(const Solvable& one, std::string_view name) const {
    return std::ranges::any_of(options.favoured, [&](const conda::PackageRecord& record) {
      return record.name == name && text_of(one, one.record->version) == record.version &&
             text_of(one, one.record->build) == record.build &&
             indexes[one.index_state].index->subdir() == record.subdir &&
             channels[indexes[one.index_state].channel].url == record.channel;
    });
  }

  SortKey sort_key(const Solvable& one, std::string_view name) const {
    SortKey key;
    key.favoured = !options.favoured.empty() && favoured(one, name);
    key.has_features = one.record->track_features != 0;
    const std::uint32_t channel = indexes[one.index_state].channel;
    key.channel = options.priority == ChannelPriority::kDisabled ? 0 : channel;
    key.version = one.version;
    key.build_number = one.record->build_number;
    key.late_channel = channel;
    return key;
  }

  Status load(NameId id) {
    if (state(id).loaded) {
      return {};
    }
    if (!state(id).extra.empty()) {
      return load_extra(id);
    }
    std::vector<Solvable> found;
    TRY(find_records(id, found));
    NameState& name = state(id);
    name.loaded = true;
    order_versions(name, found);
    add_virtual_packages(id, name, found);

    std::vector<std::pair<SortKey, std::uint32_t>> order;
    order.reserve(found.size());
    for (std::uint32_t i = 0; i < found.size(); ++i) {
      order.emplace_back(found[i].record == nullptr ? SortKey() : sort_key(found[i], name.text), i);
    }
    std::ranges::sort(order);
    start_solvables(name);
    std::uint32_t tie = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      tie += i > 0 && !(order[i].first == order[i - 1].first) ? 1U : 0U;
      found[order[i].second].tie = tie;
      add_solvable(name, found[order[i].second]);
    }
    return {};
  }

  void start_solvables(NameState& name) const {
    name.first = static_cast<std::uint32_t>(solvables.size());
  }

  void add_solvable(NameState& name, const Solvable& one) {
    name.solvables.push_back(static_cast<SolvableId>(solvables.size()));
    ++name.count;
    solvables.push_back(one);
  }

  void add_virtual_packages(NameId id, NameState& name, std::vector<Solvable>& found) const {
    for (const VirtualPackage& one : options.virtual_packages) {
      if (one.name == name.text) {
        auto version = Version::parse(one.version);
        if (version && found.empty()) {
          name.versions = {std::move(*version)};
          found.push_back({});
          found.back().name = id;
        }
      }
    }
  }

  // A group of extras has a candidate for each of its package's, which needs exactly that one.
  Status load_extra(NameId id) {
    const NameId of = state(id).extra_of;
    TRY(load(of));
    NameState& name = state(id);
    name.loaded = true;
    start_solvables(name);
    for (const SolvableId package : state(of).solvables) {
      Solvable one = state(package);
      one.name = id;
      one.tie = resolve::index(package);
      one.extra_of = package;
      add_solvable(name, one);
    }
    return {};
  }

  // --- requirements -----------------------------------------------------------------------------

  RequirementId requirement_of(std::string_view text) {
    if (const auto found = requirement_ids.find(text); found != requirement_ids.end()) {
      return found->second;
    }
    texts.emplace_back(text);
    const std::string_view kept = texts.back();
    const auto parsed = conda::parse_match_spec(kept);
    const RequirementId id = parsed ? add_requirement(*parsed, kept) : add_impossible(kept);
    requirement_ids.emplace(kept, id);
    return id;
  }

  // One whose text nobody can read is met by nothing.
  RequirementId add_impossible(std::string_view text) {
    const auto id = static_cast<RequirementId>(requirements.size());
    requirements.emplace_back();
    requirements.back().text = fmt::format("{} (which cannot be read)", printable(text));
    requirements.back().impossible = true;
    requirements.back().names = {name_id(text)};
    return id;
  }

  RequirementId add_requirement(const MatchSpec& spec, std::string_view text) {
    const auto id = static_cast<RequirementId>(requirements.size());
    requirements.emplace_back();
    requirements.back().text = text;
    requirements.back().spec = spec;
    requirements.back().names = names_for(spec.name);
    if (spec.brackets.empty()) {
      return id;
    }
    if (const auto when = spec.brackets.find("when"); when != spec.brackets.end()) {
      read_condition(id, when->second);
    }
    if (const auto extras = spec.brackets.find("extras"); extras != spec.brackets.end()) {
      add_extras(id, extras->second);
    }
    return id;
  }

  // A name that is a glob or a regular expression stands for every name that fits.
  std::vector<NameId> names_for(const std::string& name) {
    if (name.find_first_of("*^") == std::string::npos) {
      return {name_id(name)};
    }
    std::vector<NameId> out;
    if (const auto matcher = conda::TextMatcher::compile(name)) {
      load_every_name();
      for (const std::string_view one : every_name) {
        if (matcher->matches(one)) {
          out.push_back(name_id(one));
        }
      }
    }
    return out.empty() ? std::vector<NameId>{name_id(name)} : out;
  }

  void load_every_name() {
    if (!every_name.empty()) {
      return;
    }
    for (const ProviderChannel& channel : channels) {
      for (const auto& subdir : channel.subdirs) {
        const auto more = subdir->names();
        every_name.insert(every_name.end(), more.begin(), more.end());
      }
    }
    std::ranges::sort(every_name);
    const auto rest = std::ranges::unique(every_name);
    every_name.erase(rest.begin(), rest.end());
  }

  // Lists are written [a, b] or as one word (CEP 44, CEP 45).
  static std::vector<std::string> list_items(std::string_view text) {
    if (text.starts_with('[') && text.ends_with(']')) {
      text = text.substr(1, text.size() - 2);
    }
    std::vector<std::string> out;
    for (std::string_view item : split(text, ',')) {
      item = trim(item);
      if (item.size() >= 2 && (item.front() == '"' || item.front() == '\'')) {
        item = trim(item.substr(1, item.size() - 2));
      }
      if (!item.empty()) {
        out.emplace_back(item);
      }
    }
    return out;
  }

  void add_extras(RequirementId id, std::string_view text) {
    for (const std::string& extra : list_items(text)) {
      MatchSpec spec = state(id).spec;
      spec.brackets.erase("extras");
      spec.brackets.erase("when");
      const NameId of = state(id).names.front();
      const NameId group = name_id(fmt::format("{}[{}]", state(of).text, extra));
      state(group).extra = extra;
      state(group).extra_of = of;
      const auto extra_id = static_cast<RequirementId>(requirements.size());
      requirements.emplace_back();
      requirements.back().text = state(id).text;
      requirements.back().spec = spec;
      requirements.back().names = {group};
      state(id).extras.push_back(extra_id);
    }
  }

  // --- conditions (CEP 43) ----------------------------------------------------------------------

  // Specs joined by "and", "or" and parentheses, into alternatives of lists.
  class ConditionReader {
   public:
    using Alternatives = std::vector<std::vector<RequirementId>>;

    ConditionReader(State& state, std::string_view text) : state_(state), rest_(text) {}

    std::optional<Alternatives> read() {
      auto out = read_or(0);
      return out && trim(rest_).empty() ? out : std::nullopt;
    }

   private:
    static constexpr int kMaxDepth = 16;
    static constexpr std::size_t kMaxAlternatives = 64;

    std::optional<Alternatives> read_or(int depth) {
      auto out = read_and(depth);
      while (out && take_word("or")) {
        auto more = read_and(depth);
        if (!more || out->size() + more->size() > kMaxAlternatives) {
          return std::nullopt;
        }
        out->insert(out->end(), more->begin(), more->end());
      }
      return out;
    }

    std::optional<Alternatives> read_and(int depth) {
      auto out = read_one(depth);
      while (out && take_word("and")) {
        const auto more = read_one(depth);
        if (!more || out->size() * more->size() > kMaxAlternatives) {
          return std::nullopt;
        }
        Alternatives both;
        for (const auto& left : *out) {
          for (const auto& right : *more) {
            both.push_back(left);
            both.back().insert(both.back().end(), right.begin(), right.end());
          }
        }
        out = std::move(both);
      }
      return out;
    }

    std::optional<Alternatives> read_one(int depth) {
      rest_ = trim(rest_);
      if (depth > kMaxDepth || rest_.empty()) {
        return std::nullopt;
      }
      if (rest_.front() == '(') {
        rest_.remove_prefix(1);
        auto out = read_or(depth + 1);
        rest_ = trim(rest_);
        if (!out || rest_.empty() || rest_.front() != ')') {
          return std::nullopt;
        }
        rest_.remove_prefix(1);
        return out;
      }
      const std::string_view spec = take_spec();
      if (spec.empty()) {
        return std::nullopt;
      }
      return Alternatives{{state_.requirement_of(spec)}};
    }

    // Up to a blank or a parenthesis outside of brackets and quotes.
    std::string_view take_spec() {
      char quote = 0;
      int brackets = 0;
      std::size_t length = 0;
      for (; length < rest_.size(); ++length) {
        const char c = rest_[length];
        if (quote != 0) {
          quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
          quote = c;
        } else if (c == '[' || c == ']') {
          brackets += c == '[' ? 1 : -1;
        } else if (brackets == 0 && (c == ' ' || c == ')' || c == '(')) {
          break;
        }
      }
      const std::string_view out = rest_.substr(0, length);
      rest_.remove_prefix(length);
      return out;
    }

    bool take_word(std::string_view word) {
      const std::string_view text = trim(rest_);
      const bool found = text.starts_with(word) && text.size() > word.size() &&
                         (text[word.size()] == ' ' || text[word.size()] == '(');
      if (found) {
        rest_ = text.substr(word.size());
      }
      return found;
    }

    State& state_;
    std::string_view rest_;
  };

  void read_condition(RequirementId id, std::string_view text) {
    auto alternatives = ConditionReader(*this, text).read();
    if (!alternatives) {
      state(id).impossible = true;
      state(id).text += " (whose condition cannot be read)";
      return;
    }
    state(id).when = std::move(*alternatives);
  }

  // Virtual packages are there or not, whatever is chosen.
  Result<std::optional<bool>> decided(RequirementId condition) {
    if (!state(state(condition).names.front()).text.starts_with("__")) {
      return std::optional<bool>();
    }
    TRY(evaluate(condition));
    return std::optional(!state(condition).matching.empty());
  }

  // "Needs requirement, when all of these hold", as the solver takes it: one condition at most. Of
  // several, each but the last stands as a name of its own that brings the next one.
  Status add_dependency(Dependencies& out, RequirementId requirement) {
    for (const RequirementId extra : state(requirement).extras) {
      TRY(add_conditional(out, extra, state(requirement).when));
    }
    return add_conditional(out, requirement, state(requirement).when);
  }

  Status add_conditional(Dependencies& out, RequirementId requirement,
                         const std::vector<std::vector<RequirementId>>& when) {
    if (when.empty()) {
      out.requirements.push_back({requirement, std::nullopt});
      return {};
    }
    for (const auto& all : when) {
      std::vector<RequirementId> open;
      bool holds = true;
      for (const RequirementId condition : all) {
        const std::optional<bool> known = TRY(decided(condition));
        holds = holds && known.value_or(true);
        if (!known) {
          open.push_back(condition);
        }
      }
      if (!holds) {
        continue;
      }
      RequirementId wanted = requirement;
      while (open.size() > 1) {
        wanted = step(wanted, open.back());
        open.pop_back();
      }
      out.requirements.push_back(
          {wanted, open.empty() ? std::nullopt : std::optional(open.front())});
    }
    return {};
  }

  struct Step {
    RequirementId requirement{};
    RequirementId condition{};
  };
  std::map<std::pair<RequirementId, RequirementId>, RequirementId> step_ids;
  std::unordered_map<std::uint32_t, Step> steps;  // by solvable

  // A requirement for a made-up package that needs `requirement` when `condition` holds.
  RequirementId step(RequirementId requirement, RequirementId condition) {
    const auto [place, added] = step_ids.try_emplace({requirement, condition});
    if (added) {
      const NameId id = name_id(
          fmt::format("step {} {}", resolve::index(requirement), resolve::index(condition)));
      NameState& name = state(id);
      name.loaded = true;
      start_solvables(name);
      Solvable one;
      one.name = id;
      add_solvable(name, one);
      steps.emplace(name.first, Step{requirement, condition});
      place->second = static_cast<RequirementId>(requirements.size());
      requirements.emplace_back();
      requirements.back().text = state(requirement).text;
      requirements.back().names = {id};
      requirements.back().matching = name.solvables;
      requirements.back().evaluated = true;
    }
    return place->second;
  }

  // --- matching ---------------------------------------------------------------------------------

  Status evaluate(RequirementId id) {
    RequirementState& requirement = state(id);
    if (requirement.evaluated) {
      return {};
    }
    for (const NameId name : requirement.names) {
      TRY(load(name));
    }
    requirement.evaluated = true;
    if (requirement.impossible) {
      return {};
    }
    const auto matcher = RecordMatcher::compile(requirement.spec);
    if (!matcher) {
      requirement.text += fmt::format(" ({})", matcher.error().message);
      return {};
    }
    for (const NameId name : requirement.names) {
      collect(*matcher, requirement, state(name));
    }
    return {};
  }

  void collect(const RecordMatcher& matcher, RequirementState& requirement, NameState& name) {
    // Extras have the versions of their package, which also decides by the whole record.
    const NameState& versions = name.extra.empty() ? name : state(name.extra_of);
    std::vector<signed char> fits(versions.versions.size(), -1);
    const auto version_fits = [&](std::uint32_t version) {
      if (fits[version] < 0) {
        fits[version] = matcher.version().matches(versions.versions[version]) ? 1 : 0;
      }
      return fits[version] == 1;
    };
    const std::vector<std::string> flags = flags_of(requirement.spec);
    for (const SolvableId id : name.solvables) {
      const Solvable& one = state(id);
      if (!version_fits(one.version)) {
        continue;
      }
      if (matcher.version_only() ||
          (matches_record(matcher, one, versions) && has_flags(one, flags))) {
        requirement.matching.push_back(id);
      }
    }
  }

  static std::vector<std::string> flags_of(const MatchSpec& spec) {
    const auto found = spec.brackets.find("flags");
    return found == spec.brackets.end() ? std::vector<std::string>() : list_items(found->second);
  }

  bool has_flags(const Solvable& one, const std::vector<std::string>& wanted) const {
    return std::ranges::all_of(wanted, [&](const std::string& pattern) {
      const auto matcher = conda::TextMatcher::compile(pattern);
      const auto fits = [&](std::uint32_t flag) { return matcher->matches(text_of(one, flag)); };
      return matcher && one.record != nullptr &&
             std::ranges::any_of(indexes[one.index_state].index->list(one.record->flags), fits);
    });
  }

  bool matches_record(const RecordMatcher& matcher, const Solvable& one,
                      const NameState& name) const {
    RecordView view;
    view.name = name.text;
    view.version = &name.versions[one.version];
    if (one.record == nullptr) {
      const auto found =
          std::ranges::find(options.virtual_packages, name.text, &VirtualPackage::name);
      view.build = found == options.virtual_packages.end() ? std::string_view() : found->build;
      return matcher.matches(view);
    }
    view.build = text_of(one, one.record->build);
    view.build_number = static_cast<std::int64_t>(one.record->build_number);
    const ProviderChannel& channel = channels[indexes[one.index_state].channel];
    view.channel = channel.url;
    view.subdir = indexes[one.index_state].index->subdir();
    if (!matcher.needs_file()) {
      return matcher.matches(view);
    }
    const conda::PackageRecord record =
        indexes[one.index_state].index->package_record(*one.record, channel.url);
    view.file_name = record.file_name;
    view.md5 = record.md5;
    view.sha256 = record.sha256;
    return matcher.matches(view);
  }

  // --- dependencies -----------------------------------------------------------------------------

  RequirementId requirement_of(IndexState& index, std::uint32_t string) {
    if (index.requirements.empty()) {
      index.requirements.assign(index.index->string_count(), kNone);
    }
    if (string >= index.requirements.size()) {
      return requirement_of("");
    }
    std::uint32_t& known = index.requirements[string];
    if (known == kNone) {
      known = resolve::index(requirement_of(index.index->string(string)));
    }
    return static_cast<RequirementId>(known);
  }

  Result<Dependencies> dependencies(SolvableId id) {
    Dependencies out;
    if (const auto found = steps.find(resolve::index(id)); found != steps.end()) {
      out.requirements.push_back({found->second.requirement, found->second.condition});
      return out;
    }
    const Solvable one = state(id);
    if (one.record == nullptr) {
      return out;
    }
    IndexState& index = indexes[one.index_state];
    if (!state(one.name).extra.empty()) {
      return extra_dependencies(one);
    }
    for (const std::uint32_t string : index.index->list(one.record->depends)) {
      TRY(add_dependency(out, requirement_of(index, string)));
    }
    if (options.add_pip && state(one.name).text == "python" && python_needs_pip(one)) {
      TRY(add_dependency(out, requirement_of("pip")));
    }
    for (const std::uint32_t string : index.index->list(one.record->constrains)) {
      out.constraints.push_back(requirement_of(index, string));
    }
    return out;
  }

  // conda: core/subdir_data.py; "python" of version 2 and 3 only.
  bool python_needs_pip(const Solvable& one) const {
    const std::string_view version = text_of(one, one.record->version);
    return version.starts_with("2.") || version.starts_with("3.");
  }

  Result<Dependencies> extra_dependencies(const Solvable& one) {
    Dependencies out;
    out.requirements.push_back({exactly(one.extra_of), std::nullopt});
    IndexState& index = indexes[one.index_state];
    const std::span<const std::uint32_t> all = index.index->list(one.record->extra_depends);
    for (std::size_t i = 0; i + 1 < all.size();) {
      const bool wanted = index.index->string(all[i]) == state(one.name).extra;
      const std::size_t end = std::min<std::size_t>(all.size(), i + 2 + all[i + 1]);
      for (i += 2; i < end; ++i) {
        if (wanted) {
          TRY(add_dependency(out, requirement_of(index, all[i])));
        }
      }
    }
    return out;
  }

  std::unordered_map<std::uint32_t, RequirementId> exact_ids;

  RequirementId exactly(SolvableId solvable) {
    const auto [place, added] = exact_ids.try_emplace(resolve::index(solvable));
    if (added) {
      place->second = static_cast<RequirementId>(requirements.size());
      requirements.emplace_back();
      requirements.back().text = text_of_solvable(solvable);
      requirements.back().names = {state(solvable).name};
      requirements.back().matching = {solvable};
      requirements.back().evaluated = true;
    }
    return place->second;
  }

  // --- ties -------------------------------------------------------------------------------------

  // docs/formats/solving.md, "conda": by the newest version that each of the names they all depend
  // on may have, python first, then in alphabetical order; a package for the platform before
  // noarch; the newest; the greatest build string.
  Status compare_tied(SolvableId of) {
    const NameId id = state(of).name;
    const std::uint32_t tie = state(of).tie;
    std::vector<SolvableId> group;
    for (const SolvableId one : state(id).solvables) {
      if (state(one).tie == tie) {
        group.push_back(one);
      }
    }
    std::vector<std::vector<std::pair<std::string_view, std::int64_t>>> keys;
    for (const SolvableId one : group) {
      keys.push_back(TRY(newest_allowed(one)));
    }
    const std::vector<std::string_view> shared = shared_names(keys);
    std::vector<std::size_t> order(group.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::erase_if(keys[i], [&](const auto& key) {
        return !std::ranges::binary_search(shared, key.first, python_first);
      });
      order[i] = i;
    }
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
      for (std::size_t i = 0; i < std::min(keys[a].size(), keys[b].size()); ++i) {
        if (keys[a][i].second != keys[b][i].second) {
          return keys[a][i].second > keys[b][i].second;
        }
      }
      return late_key(group[a]) > late_key(group[b]);
    });
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      state(group[order[i]]).place = i;
    }
    return {};
  }

  static bool python_first(std::string_view a, std::string_view b) {
    return std::pair(a != "python", a) < std::pair(b != "python", b);
  }

  // For each name that a candidate depends on, the rank of the newest version it allows; -1: none.
  Result<std::vector<std::pair<std::string_view, std::int64_t>>> newest_allowed(SolvableId id) {
    const Solvable one = state(id);
    std::vector<std::pair<std::string_view, std::int64_t>> out;
    IndexState& index = indexes[one.index_state];
    for (const std::uint32_t string : index.index->list(one.record->depends)) {
      const RequirementId requirement = requirement_of(index, string);
      if (state(requirement).names.size() != 1 || !state(requirement).when.empty()) {
        continue;
      }
      TRY(evaluate(requirement));
      const std::vector<SolvableId>& matching = state(requirement).matching;
      const std::int64_t best = matching.empty() ? -1 : state(matching.front()).version;
      out.emplace_back(state(state(requirement).names.front()).text, best);
    }
    std::ranges::sort(out, [](const auto& a, const auto& b) {
      return a.first == b.first ? a.second < b.second : python_first(a.first, b.first);
    });
    const auto rest =
        std::ranges::unique(out, {}, [](const auto& one_key) { return one_key.first; });
    out.erase(rest.begin(), rest.end());
    return out;
  }

  static std::vector<std::string_view> shared_names(
      const std::vector<std::vector<std::pair<std::string_view, std::int64_t>>>& keys) {
    std::vector<std::string_view> shared;
    for (const auto& key : keys.front()) {
      const bool everywhere = std::ranges::all_of(keys, [&](const auto& other) {
        return std::ranges::find(other, key.first, [](const auto& pair) { return pair.first; }) !=
               other.end();
      });
      if (everywhere) {
        shared.push_back(key.first);
      }
    }
    return shared;
  }

  std::tuple<bool, std::int64_t, std::string_view> late_key(SolvableId id) const {
    const Solvable& one = solvables[resolve::index(id)];
    return {indexes[one.index_state].index->subdir() != "noarch", one.record->timestamp_ms,
            text_of(one, one.record->build)};
  }

  // --- texts ------------------------------------------------------------------------------------

  std::string text_of_solvable(SolvableId id) {
    const Solvable& one = state(id);
    const NameState& name = state(one.name);
    if (one.record == nullptr) {
      return name.versions.empty() ? std::string(name.text)
                                   : fmt::format("{} {}", name.text, name.versions[0].text());
    }
    return fmt::format("{} {}", name.text, text_of(one, one.record->version));
  }
};

CondaProvider::CondaProvider(std::vector<ProviderChannel> channels, ProviderOptions options)
    : state_(std::make_unique<State>(std::move(channels), std::move(options))) {}

CondaProvider::~CondaProvider() = default;

Result<std::vector<RequirementId>> CondaProvider::request(const MatchSpec& spec) {
  if (!spec.channel.empty()) {
    NameState& name = state_->state(state_->name_id(spec.name));
    name.wants_channel = true;
    name.channel = spec.channel;
  }
  const RequirementId id = state_->requirement_of(spec.to_string());
  std::vector<RequirementId> out = {id};
  const std::vector<RequirementId>& extras = state_->state(id).extras;
  out.insert(out.end(), extras.begin(), extras.end());
  return out;
}

Result<RequirementId> CondaProvider::relaxed(const MatchSpec& spec) {
  return state_->requirement_of(spec.name);
}

bool CondaProvider::is_package(SolvableId solvable) const {
  const Solvable& one = state_->solvables[resolve::index(solvable)];
  return one.record != nullptr && state_->names[resolve::index(one.name)].extra.empty();
}

std::vector<conda::PackageRecord> CondaProvider::records(const resolve::Solution& solution) {
  std::vector<conda::PackageRecord> out;
  for (const SolvableId id : solution.solvables) {
    if (is_package(id)) {
      const Solvable& one = state_->state(id);
      const IndexState& index = state_->indexes[one.index_state];
      out.push_back(index.index->package_record(*one.record, state_->channels[index.channel].url));
    }
  }
  return out;
}

Result<bool> CondaProvider::knows(std::string_view name) {
  const NameId id = state_->name_id(name);
  TRY(state_->load(id));
  return state_->state(id).count > 0;
}

std::vector<std::string> CondaProvider::nearest_names(std::string_view name) {
  state_->load_every_name();
  const std::string_view found = nearest(name, state_->every_name);
  return found.empty() ? std::vector<std::string>() : std::vector<std::string>{std::string(found)};
}

Status CondaProvider::prefetch(std::span<const NameId> names) {
  std::vector<std::string_view> texts;
  for (const NameId id : names) {
    if (!state_->state(id).loaded && state_->state(id).extra.empty()) {
      texts.push_back(state_->state(id).text);
    }
  }
  for (ProviderChannel& channel : state_->channels) {
    for (const auto& subdir : channel.subdirs) {
      TRY(subdir->prefetch(texts));
    }
  }
  return {};
}

Result<std::span<const SolvableId>> CondaProvider::candidates(NameId name) {
  TRY(state_->load(name));
  return std::span<const SolvableId>(state_->state(name).solvables);
}

std::span<const NameId> CondaProvider::names(RequirementId requirement) {
  return state_->state(requirement).names;
}

Result<std::span<const SolvableId>> CondaProvider::matching(RequirementId requirement) {
  TRY(state_->evaluate(requirement));
  return std::span<const SolvableId>(state_->state(requirement).matching);
}

Result<Dependencies> CondaProvider::dependencies(SolvableId solvable) {
  return state_->dependencies(solvable);
}

bool CondaProvider::tied(SolvableId a, SolvableId b) {
  const Solvable& one = state_->state(a);
  const Solvable& other = state_->state(b);
  return one.name == other.name && one.tie == other.tie && one.record != nullptr;
}

Result<SolvableId> CondaProvider::prefer(std::span<const SolvableId> candidates) {
  if (state_->state(candidates.front()).place == kNone) {
    TRY(state_->compare_tied(candidates.front()));
  }
  return *std::ranges::min_element(candidates, std::less<>(),
                                   [&](SolvableId id) { return state_->state(id).place; });
}

NameId CondaProvider::name(SolvableId solvable) { return state_->state(solvable).name; }

std::string CondaProvider::to_string(NameId name) { return printable(state_->state(name).text); }

std::string CondaProvider::to_string(SolvableId solvable) {
  return printable(state_->text_of_solvable(solvable));
}

std::string CondaProvider::to_string(RequirementId requirement) {
  return printable(state_->state(requirement).text);
}

// By versions: forty builds of one version are one thing to a person.
std::string CondaProvider::to_string(std::span<const SolvableId> solvables) {
  CHECK(!solvables.empty());
  std::vector<std::string> texts;
  for (const SolvableId id : solvables) {
    std::string text = to_string(id);
    if (std::ranges::find(texts, text) == texts.end()) {
      texts.push_back(std::move(text));
    }
  }
  if (texts.size() == 1) {
    return texts.front();
  }
  const std::string prefix = to_string(name(solvables.front())) + " ";
  const auto short_text = [&](const std::string& text) {
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
  };
  constexpr std::size_t kMostListed = 4;
  if (texts.size() > kMostListed) {
    return fmt::format("{} to {} ({} versions)", texts.back(), short_text(texts.front()),
                       texts.size());
  }
  std::string out = texts.back();
  for (std::size_t i = texts.size() - 1; i-- > 0;) {
    out += (i == 0 ? " and " : ", ") + short_text(texts[i]);
  }
  return out;
}

std::string CondaProvider::why_absent(NameId name) {
  const std::string text = to_string(name);
  return text.starts_with("__") ? fmt::format("the target has no {}", text)
                                : fmt::format("no channel has a package {}", text);
}

}  // namespace cloche::source
