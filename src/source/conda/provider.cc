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
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "core/text.h"
#include "package/conda/matching.h"
#include "package/conda/version.h"
#include "package/conda/version_spec.h"
#include "source/conda/nearest_versions.h"

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
  bool unreadable = false;           // no name, but a spec that nobody can read
  std::vector<Version> versions;     // ascending, each text once
  std::vector<std::uint32_t> ranks;  // of versions: "1.0" and "1" share theirs
  std::vector<SolvableId> solvables;
  std::string extra;  // of "numpy[gpu]"
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
      : channels(std::move(all)), options(std::move(given)) {
    for (const conda::PackageRecord& record : options.favoured) {
      favoured_of[record.name].push_back(&record);
    }
  }

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
  std::map<std::pair<NameId, std::string>, NameId> extra_names;
  std::unordered_map<std::string_view, std::vector<const conda::PackageRecord*>> favoured_of;

  // --- names ------------------------------------------------------------------------------------

  NameId name_id(std::string_view text) {
    if (const auto found = name_ids.find(text); found != name_ids.end()) {
      return found->second;
    }
    const NameId id = new_name(text);
    name_ids.emplace(state(id).text, id);
    return id;
  }

  // One that no package has: what nobody finds by its text.
  NameId new_name(std::string_view text) {
    const auto id = static_cast<NameId>(names.size());
    texts.emplace_back(text);
    names.emplace_back().text = texts.back();
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

  static bool is_called(const ProviderChannel& channel, const std::string& text) {
    return channel.name == text || channel.url == text || channel.url.ends_with("/" + text) ||
           std::ranges::find(channel.aliases, text) != channel.aliases.end();
  }

  static bool channel_serves(const ProviderChannel& channel, const NameState& name) {
    return name.wants_channel ? is_called(channel, name.channel) : !channel.only_when_named;
  }

  // Every record of a name, as a strict priority leaves it. Virtual packages are the target's, and
  // no channel can claim otherwise.
  Status find_records(NameId id, std::vector<Solvable>& out) {
    if (is_virtual(state(id).text)) {
      return {};
    }
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

  static bool is_virtual(std::string_view name) { return name.starts_with("__"); }

  std::string_view text_of(const Solvable& one, std::uint32_t string) const {
    return indexes[one.index_state].index->string(string);
  }

  // Parses and orders the versions of a name and gives every solvable its own. A record whose
  // version cannot be read is left out: nothing could ask for it.
  void order_versions(NameState& name, std::vector<Solvable>& found) const {
    std::unordered_map<std::string_view, std::uint32_t> by_text;
    std::vector<Version> parsed;
    std::uint32_t last_string = kNone;
    std::uint32_t last_index = kNone;
    std::uint32_t last_version = 0;
    for (Solvable& one : found) {
      if (one.record->version != last_string || one.index_state != last_index) {
        last_string = one.record->version;
        last_index = one.index_state;
        const std::string_view text = text_of(one, last_string);
        const auto [place, added] = by_text.try_emplace(text, kNone);
        if (added) {
          if (auto version = Version::parse(text)) {
            place->second = static_cast<std::uint32_t>(parsed.size());
            parsed.push_back(std::move(*version));
          }
        }
        last_version = place->second;
      }
      one.version = last_version;
    }
    std::erase_if(found, [](const Solvable& one) { return one.version == kNone; });
    std::vector<std::uint32_t> order(parsed.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
      const auto compared = parsed[a] <=> parsed[b];
      return compared == 0 ? parsed[a].text() < parsed[b].text() : compared < 0;
    });
    std::vector<std::uint32_t> place(parsed.size());
    std::uint32_t rank = 0;
    for (const std::uint32_t i : order) {
      rank += !name.versions.empty() && name.versions.back() != parsed[i] ? 1U : 0U;
      place[i] = static_cast<std::uint32_t>(name.versions.size());
      name.versions.push_back(std::move(parsed[i]));
      name.ranks.push_back(rank);
    }
    for (Solvable& one : found) {
      one.version = place[one.version];
    }
  }

  bool favoured(const Solvable& one, std::string_view name) const {
    const auto found = favoured_of.find(name);
    return found != favoured_of.end() &&
           std::ranges::any_of(found->second, [&](const conda::PackageRecord* record) {
             return text_of(one, one.record->version) == record->version &&
                    text_of(one, one.record->build) == record->build &&
                    indexes[one.index_state].index->subdir() == record->subdir &&
                    channels[indexes[one.index_state].channel].url == record->channel;
           });
  }

  SortKey sort_key(const Solvable& one, const NameState& name) const {
    SortKey key;
    key.favoured = !favoured_of.empty() && favoured(one, name.text);
    key.has_features = one.record->track_features != 0;
    const std::uint32_t channel = indexes[one.index_state].channel;
    key.channel = options.priority == ChannelPriority::kDisabled ? 0 : channel;
    key.version = name.ranks[one.version];
    key.build_number = one.record->build_number;
    key.late_channel = channel;
    return key;
  }

  // What still tells tied candidates apart, greatest first: one order whatever their records'.
  std::tuple<bool, std::int64_t, std::string_view, std::string_view> late_key(
      const Solvable& one) const {
    return {indexes[one.index_state].index->subdir() != "noarch", one.record->timestamp_ms,
            text_of(one, one.record->build), text_of(one, one.record->version)};
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
      order.emplace_back(found[i].record == nullptr ? SortKey() : sort_key(found[i], name), i);
    }
    std::ranges::sort(order, [&](const auto& a, const auto& b) {
      const auto compared = a.first <=> b.first;
      return compared == 0 ? found[a.second].record != nullptr &&
                                 late_key(found[a.second]) > late_key(found[b.second])
                           : compared < 0;
    });
    std::uint32_t tie = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      tie += i > 0 && !(order[i].first == order[i - 1].first) ? 1U : 0U;
      found[order[i].second].tie = tie;
      add_solvable(name, found[order[i].second]);
    }
    return {};
  }

  void add_solvable(NameState& name, const Solvable& one) {
    name.solvables.push_back(static_cast<SolvableId>(solvables.size()));
    solvables.push_back(one);
  }

  void add_virtual_packages(NameId id, NameState& name, std::vector<Solvable>& found) const {
    const auto one = std::ranges::find(options.virtual_packages, name.text, &VirtualPackage::name);
    if (one == options.virtual_packages.end() || !is_virtual(name.text)) {
      return;
    }
    if (auto version = Version::parse(one->version)) {
      name.versions = {std::move(*version)};
      name.ranks = {0};
      found.push_back({});
      found.back().name = id;
    }
  }

  // A group of extras has a candidate for each of its package's, which needs exactly that one.
  Status load_extra(NameId id) {
    const NameId of = state(id).extra_of;
    TRY(load(of));
    NameState& name = state(id);
    name.loaded = true;
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
    // CEP 48: what packages depend on has one name. A glob here would also reach every package.
    const auto parsed = conda::parse_match_spec(kept);
    const bool readable = parsed && !is_pattern(parsed->name);
    const RequirementId id = readable ? add_requirement(*parsed, kept) : add_impossible(kept);
    requirement_ids.emplace(kept, id);
    return id;
  }

  // One whose text nobody can read is met by nothing.
  RequirementId add_impossible(std::string_view text) {
    const auto id = static_cast<RequirementId>(requirements.size());
    requirements.emplace_back();
    requirements.back().text = fmt::format("{} (which cannot be read)", printable(text));
    requirements.back().impossible = true;
    const NameId name = new_name(text);
    state(name).unreadable = true;
    requirements.back().names = {name};
    return id;
  }

  static bool is_pattern(std::string_view name) {
    return name.find_first_of("*^") != std::string_view::npos;
  }

  // What a person asks for, where a name may be a pattern.
  RequirementId asked(const MatchSpec& spec) {
    return is_pattern(spec.name) ? add_requirement(spec, spec.to_string())
                                 : requirement_of(spec.to_string());
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
    if (!is_pattern(name)) {
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
      const auto [place, added] = extra_names.try_emplace({of, extra});
      if (added) {
        place->second = new_name(fmt::format("{}[{}]", state(of).text, extra));
        state(place->second).extra = extra;
        state(place->second).extra_of = of;
      }
      const auto extra_id = static_cast<RequirementId>(requirements.size());
      requirements.emplace_back();
      requirements.back().text = state(id).text;
      requirements.back().spec = spec;
      requirements.back().names = {place->second};
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
      const RequirementId id = state_.requirement_of(spec);
      return state_.state(id).impossible ? std::nullopt : std::optional(Alternatives{{id}});
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
    if (!is_virtual(state(state(condition).names.front()).text)) {
      return std::optional<bool>();
    }
    TRY(evaluate(condition));
    return std::optional(!state(condition).matching.empty());
  }

  // "Needs requirement, when all of these hold", as the solver takes it: one condition at most. Of
  // several, each but the last stands as a name of its own that brings the next one.
  Status add_dependency(Dependencies& out, RequirementId requirement) {
    TRY(add_conditional(out, requirement, state(requirement).when));
    for (const RequirementId extra : state(requirement).extras) {
      TRY(add_conditional(out, extra, state(requirement).when));
    }
    return {};
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
      const std::string text =
          fmt::format("{} when {}", state(requirement).text, state(condition).text);
      const NameId id = new_name(text);
      NameState& name = state(id);
      name.loaded = true;
      Solvable one;
      one.name = id;
      add_solvable(name, one);
      steps.emplace(resolve::index(name.solvables.front()), Step{requirement, condition});
      place->second = static_cast<RequirementId>(requirements.size());
      requirements.emplace_back();
      requirements.back().text = text;
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
    const auto flags = flags_of(requirement.spec);
    for (const SolvableId id : name.solvables) {
      const Solvable& one = state(id);
      if (!version_fits(one.version)) {
        continue;
      }
      if (matcher.version_only() ||
          (matches_record(matcher, requirement.spec, one, versions) && has_flags(one, flags))) {
        requirement.matching.push_back(id);
      }
    }
  }

  static std::vector<conda::TextMatcher> flags_of(const MatchSpec& spec) {
    std::vector<conda::TextMatcher> out;
    if (const auto found = spec.brackets.find("flags"); found != spec.brackets.end()) {
      for (const std::string& one : list_items(found->second)) {
        if (auto matcher = conda::TextMatcher::compile(one)) {
          out.push_back(std::move(*matcher));
        }
      }
    }
    return out;
  }

  // CEP 45: every flag that is wanted is among the record's.
  bool has_flags(const Solvable& one, const std::vector<conda::TextMatcher>& wanted) const {
    return std::ranges::all_of(wanted, [&](const conda::TextMatcher& matcher) {
      const auto fits = [&](std::uint32_t flag) { return matcher.matches(text_of(one, flag)); };
      return one.record != nullptr &&
             std::ranges::any_of(indexes[one.index_state].index->list(one.record->flags), fits);
    });
  }

  bool matches_record(const RecordMatcher& matcher, const MatchSpec& spec, const Solvable& one,
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
    view.channel = is_called(channel, spec.channel) ? spec.channel : channel.url;
    view.subdir = indexes[one.index_state].index->subdir();
    if (!matcher.needs_file()) {
      return matcher.matches(view);
    }
    const conda::PackageRecord record =
        indexes[one.index_state].index->package_record(*one.record, channel.url);
    const std::string features = join(record.track_features, " ");
    view.file_name = record.file_name;
    view.url = record.url;
    view.md5 = record.md5;
    view.sha256 = record.sha256;
    view.license = record.license;
    view.license_family = record.license_family;
    view.track_features = features;
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
    TRY(prefetch_dependencies(group));
    std::vector<std::vector<std::pair<std::string_view, std::int64_t>>> keys;
    keys.reserve(group.size());
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
      return late_key(state(group[a])) > late_key(state(group[b]));
    });
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      state(group[order[i]]).place = i;
    }
    return {};
  }

  // All names that a comparison will ask for, in one batch.
  Status prefetch_dependencies(const std::vector<SolvableId>& group) {
    std::vector<NameId> wanted;
    for (const SolvableId id : group) {
      const Solvable one = state(id);
      IndexState& index = indexes[one.index_state];
      for (const std::uint32_t string : index.index->list(one.record->depends)) {
        const RequirementState& requirement = state(requirement_of(index, string));
        if (requirement.names.size() == 1 && !state(requirement.names.front()).loaded) {
          wanted.push_back(requirement.names.front());
        }
      }
    }
    std::ranges::sort(wanted);
    const auto rest = std::ranges::unique(wanted);
    wanted.erase(rest.begin(), rest.end());
    return wanted.empty() ? Status() : prefetch(wanted);
  }

  Status prefetch(std::span<const NameId> wanted) {
    std::vector<std::string_view> unknown;
    for (const NameId id : wanted) {
      const NameState& name = state(id);
      if (!name.loaded && name.extra.empty() && !name.unreadable && !is_virtual(name.text)) {
        unknown.push_back(name.text);
      }
    }
    for (ProviderChannel& channel : channels) {
      for (const auto& subdir : channel.subdirs) {
        TRY(subdir->prefetch(unknown));
      }
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
      const NameState& name = state(state(requirement).names.front());
      const std::int64_t best =
          matching.empty() ? -1 : std::int64_t{name.ranks[state(matching.front()).version]};
      out.emplace_back(name.text, best);
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

  // --- texts ------------------------------------------------------------------------------------

  template <class WhyAbsent>
  std::string why_none(RequirementId id, const WhyAbsent& why_absent) {
    const RequirementState& wanted = state(id);
    const NameState& given = state(wanted.names.front());
    const NameState& name = given.extra.empty() ? given : state(given.extra_of);
    const MatchSpec& spec = wanted.spec;
    if (name.solvables.empty()) {
      return why_absent(wanted.names.front());
    }
    if (wanted.impossible || is_pattern(spec.name)) {
      return fmt::format("nothing fits {}", printable(wanted.text));
    }
    const std::string text = printable(name.text);
    if (is_virtual(name.text)) {
      const auto has =
          std::ranges::find(options.virtual_packages, name.text, &VirtualPackage::name);
      return fmt::format("the target has {} {}{}", text, printable(has->version),
                         spec.build.empty() ? "" : " " + printable(has->build));
    }
    const auto constraint = conda::VersionSpec::parse(spec.version);
    const auto matcher =
        conda::VersionMatcher::compile(constraint ? *constraint : conda::VersionSpec());
    if (!constraint || !matcher) {
      return fmt::format("nothing fits {}", printable(wanted.text));
    }
    std::vector<std::string> builds;
    for (const SolvableId one : name.solvables) {
      if (matcher->matches(name.versions[state(one).version])) {
        std::string build = printable(text_of(state(one), state(one).record->build));
        if (std::ranges::find(builds, build) == builds.end()) {
          builds.push_back(std::move(build));
        }
      }
    }
    if (builds.empty()) {
      const auto near = nearest_versions(*constraint, name.versions);
      return name.versions.size() == 1
                 ? fmt::format("there is only {} {}", text, printable(near.front()))
                 : fmt::format("there is no {} {}: the nearest {} {}", text,
                               printable(spec.version), near.size() == 1 ? "is" : "are",
                               listed(near));
    }
    if (!spec.build.empty()) {
      return fmt::format("no {}{}{} has a build {}: there {} {}", text,
                         spec.version.empty() ? "" : " ", printable(spec.version),
                         printable(spec.build), builds.size() == 1 ? "is" : "are", listed(builds));
    }
    return fmt::format("no {} is what {} asks for", text, printable(wanted.text));
  }

  // The versions that any of the requirements accepts, in runs of those that there are; nothing
  // when that says less than the requirements do.
  std::optional<std::string> accepted_versions(std::span<const RequirementId> all) {
    const std::vector<NameId>& names_of_first = state(all.front()).names;
    const NameState& name = state(names_of_first.front());
    std::vector<bool> accepted(name.versions.size());
    for (const RequirementId id : all) {
      const RequirementState& one = state(id);
      if (one.names != names_of_first || one.names.size() != 1 || !one.evaluated ||
          !name.extra.empty() || !one.spec.build.empty() || !one.spec.brackets.empty()) {
        return std::nullopt;
      }
      for (const SolvableId solvable : one.matching) {
        accepted[state(solvable).version] = true;
      }
    }
    std::vector<std::string> runs;
    for (std::size_t i = 0; i < accepted.size(); ++i) {
      const std::size_t first = i;
      while (i < accepted.size() && accepted[i]) {
        ++i;
      }
      if (i > first) {
        runs.push_back(printable(name.versions[first].text()) +
                       (i - first > 1 ? " to " + printable(name.versions[i - 1].text()) : ""));
      }
    }
    constexpr std::size_t kMostRuns = 3;
    if (runs.empty() || runs.size() > kMostRuns) {
      return std::nullopt;
    }
    std::string out = fmt::format("{} {}", printable(name.text), runs.front());
    for (std::size_t i = 1; i < runs.size(); ++i) {
      out += (i + 1 == runs.size() ? " or " : ", ") + runs[i];
    }
    return out;
  }

  // "a, b and c"; of many the first few.
  static std::string listed(std::vector<std::string> texts) {
    constexpr std::size_t kMost = 6;
    if (texts.size() > kMost) {
      texts.resize(kMost);
      texts.emplace_back("others");
    }
    std::string out = texts.front();
    for (std::size_t i = 1; i < texts.size(); ++i) {
      out += (i + 1 == texts.size() ? " and " : ", ") + texts[i];
    }
    return out;
  }

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
  Dependencies wanted;
  TRY(state_->add_dependency(wanted, state_->asked(spec)));
  std::vector<RequirementId> out;
  out.reserve(wanted.requirements.size());
  for (const Dependency& one : wanted.requirements) {
    out.push_back(one.condition ? state_->step(one.requirement, *one.condition) : one.requirement);
  }
  return out;
}

Result<RequirementId> CondaProvider::relaxed(const MatchSpec& spec) {
  MatchSpec name_only;
  name_only.name = spec.name;
  return state_->asked(name_only);
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
  return !state_->state(id).solvables.empty();
}

std::vector<std::string> CondaProvider::nearest_names(std::string_view name) {
  state_->load_every_name();
  const std::string_view found = nearest(name, state_->every_name);
  return found.empty() ? std::vector<std::string>() : std::vector<std::string>{std::string(found)};
}

Status CondaProvider::prefetch(std::span<const NameId> names) { return state_->prefetch(names); }

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

Result<SolvableId> CondaProvider::prefer(std::span<const SolvableId> tied) {
  if (state_->state(tied.front()).place == kNone) {
    TRY(state_->compare_tied(tied.front()));
  }
  return *std::ranges::min_element(tied, std::less<>(),
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
  std::vector<SolvableId> sorted(solvables.begin(), solvables.end());
  std::ranges::stable_sort(sorted, std::less<>(),
                           [&](SolvableId id) { return state_->state(id).version; });
  std::vector<std::string> texts;
  for (const SolvableId id : sorted) {
    std::string text = to_string(id);
    if (texts.empty() || texts.back() != text) {
      texts.push_back(std::move(text));
    }
  }
  if (texts.size() == 1) {
    return texts.front();
  }
  const std::string prefix = to_string(name(solvables.front())) + " ";
  for (std::size_t i = 1; i < texts.size(); ++i) {
    if (texts[i].starts_with(prefix)) {
      texts[i].erase(0, prefix.size());
    }
  }
  constexpr std::size_t kMostListed = 4;
  return texts.size() > kMostListed
             ? fmt::format("{} to {} ({} versions)", texts.front(), texts.back(), texts.size())
             : State::listed(std::move(texts));
}

// Many that are about versions alone are told by the versions that any of them accepts: "python
// 3.10.0 to 3.14.7".
std::string CondaProvider::to_string(std::span<const RequirementId> requirements) {
  constexpr std::size_t kFew = 2;
  if (requirements.size() > kFew) {
    if (auto text = state_->accepted_versions(requirements)) {
      return *text;
    }
  }
  return Provider::to_string(requirements);
}

std::string CondaProvider::why_absent(NameId name) {
  const NameState& state = state_->state(name);
  const std::string text = to_string(name);
  if (state.unreadable) {
    return fmt::format("'{}' is no dependency that can be read", text);
  }
  if (State::is_virtual(text)) {
    return fmt::format("the target has no {}", text);
  }
  if (state.wants_channel) {
    const bool known = std::ranges::any_of(state_->channels, [&](const ProviderChannel& channel) {
      return State::is_called(channel, state.channel);
    });
    return known ? fmt::format("{} has no package {}", printable(state.channel), text)
                 : fmt::format("{} is not among the channels", printable(state.channel));
  }
  const std::vector<std::string> near = nearest_names(text);
  return near.empty()
             ? fmt::format("no channel has a package {}", text)
             : fmt::format("no channel has a package {}: did you mean {}?", text, near.front());
}

Result<std::string> CondaProvider::why_none(RequirementId requirement) {
  TRY(state_->evaluate(requirement));
  return state_->why_none(requirement, [this](NameId name) { return why_absent(name); });
}

}  // namespace cloche::source
