#include "image/registries_conf.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/files.h"
#include "core/text.h"
#include "io/disk_files.h"

namespace cloche::image {
namespace {

constexpr std::size_t kMaxRules = 10'000;

// "key = value" of TOML, as far as these files use it: basic and literal strings, true and false.
// Other values (lists, numbers) belong to keys that are passed over.
struct Assignment {
  std::string key;
  std::optional<std::string> text;
  std::optional<bool> flag;
};

std::string_view without_comment(std::string_view line) {
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quote == '\0' && line[i] == '#') {
      return line.substr(0, i);
    }
    if (quote == '"' && line[i] == '\\') {
      ++i;
    } else if (quote == line[i]) {
      quote = '\0';
    } else if (quote == '\0' && (line[i] == '"' || line[i] == '\'')) {
      quote = line[i];
    }
  }
  return line;
}

Assignment parse_assignment(std::string_view line) {
  const std::size_t equals = line.find('=');
  Assignment one;
  if (equals == std::string_view::npos) {
    return one;
  }
  one.key = trim(line.substr(0, equals));
  const std::string_view value = trim(line.substr(equals + 1));
  if (value == "true" || value == "false") {
    one.flag = value == "true";
  } else if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') &&
             value.back() == value[0] && value.find('\\') == std::string_view::npos &&
             value.find(value[0], 1) == value.size() - 1) {
    one.text = value.substr(1, value.size() - 2);
  }
  return one;
}

class Parser {
 public:
  Status take(std::string_view line) {
    if (line.starts_with('[')) {
      return take_table(line);
    }
    const Assignment one = parse_assignment(line);
    if (table_ == Table::kRegistry) {
      return take_rule(one, conf_.rules.back());
    }
    if (table_ == Table::kMirror) {
      return take_mirror(one, conf_.rules.back().mirrors.back());
    }
    return {};
  }

  Result<RegistriesConf> finish() && {
    for (RegistryRule& rule : conf_.rules) {
      if (rule.prefix.empty()) {
        rule.prefix = rule.location;
      }
      const bool named = std::ranges::all_of(
          rule.mirrors, [](const auto& mirror) { return !mirror.location.empty(); });
      if (rule.prefix.empty() || !named) {
        return fail(ErrorKind::kInvalid, "a registry or mirror has no \"location\"");
      }
    }
    return std::move(conf_);
  }

 private:
  enum class Table { kOther, kRegistry, kMirror };

  Status take_table(std::string_view line) {
    std::string name;
    std::ranges::copy_if(line, std::back_inserter(name), [](char c) { return !is_blank(c); });
    table_ = Table::kOther;
    if (name == "[[registry]]") {
      conf_.rules.emplace_back();
      table_ = Table::kRegistry;
    } else if (name == "[[registry.mirror]]") {
      if (conf_.rules.empty()) {
        return fail(ErrorKind::kInvalid, "a mirror stands before the registry that it is of");
      }
      conf_.rules.back().mirrors.emplace_back();
      table_ = Table::kMirror;
    }
    if (conf_.rules.size() > kMaxRules) {
      return fail(ErrorKind::kInvalid, "more than {} registries", kMaxRules);
    }
    return {};
  }

  static Status text(const Assignment& one, std::string& target) {
    if (!one.text) {
      return fail(ErrorKind::kInvalid, "\"{}\" is not a text in quotes", one.key);
    }
    target = *one.text;
    while (target.ends_with('/')) {
      target.pop_back();
    }
    return {};
  }

  static Status flag(const Assignment& one, bool& target) {
    if (!one.flag) {
      return fail(ErrorKind::kInvalid, "\"{}\" is neither true nor false", one.key);
    }
    target = *one.flag;
    return {};
  }

  static Status take_rule(const Assignment& one, RegistryRule& rule) {
    if (one.key == "prefix") {
      return text(one, rule.prefix);
    }
    if (one.key == "location") {
      return text(one, rule.location);
    }
    if (one.key == "insecure") {
      return flag(one, rule.insecure);
    }
    return one.key == "blocked" ? flag(one, rule.blocked) : Status();
  }

  static Status take_mirror(const Assignment& one, RegistryRule::Mirror& mirror) {
    if (one.key == "location") {
      return text(one, mirror.location);
    }
    return one.key == "insecure" ? flag(one, mirror.insecure) : Status();
  }

  RegistriesConf conf_;
  Table table_ = Table::kOther;
};

// Whether the name is the prefix or stands below it; a "*." prefix means all sub-domains.
bool matches(std::string_view prefix, std::string_view name) {
  if (prefix.starts_with("*.")) {
    const std::string_view host = name.substr(0, name.find('/'));
    return host.size() >= prefix.size() && host.ends_with(prefix.substr(1));
  }
  return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '/');
}

RegistryPlace split_place(std::string_view name, bool insecure) {
  const std::size_t slash = std::min(name.find('/'), name.size());
  return {.registry = std::string(name.substr(0, slash)),
          .repository = std::string(name.substr(std::min(slash + 1, name.size()))),
          .insecure = insecure};
}

// The name with `location` for the prefix.
RegistryPlace moved(const RegistryRule& rule, std::string_view location, std::string_view name,
                    bool insecure) {
  if (location.empty() || rule.prefix.starts_with("*.")) {
    return split_place(name, insecure);
  }
  return split_place(std::string(location) + std::string(name.substr(rule.prefix.size())),
                     insecure);
}

std::string name_of(const oci::Reference& reference) {
  return reference.registry + "/" + reference.repository;
}

}  // namespace

const RegistryRule* RegistriesConf::rule_for(const oci::Reference& reference) const {
  const RegistryRule* best = nullptr;
  for (const RegistryRule& rule : rules) {
    const bool longer = best == nullptr || rule.prefix.size() > best->prefix.size();
    if (longer && matches(rule.prefix, name_of(reference))) {
      best = &rule;
    }
  }
  return best;
}

Result<RegistryPlace> RegistriesConf::place(const oci::Reference& reference) const {
  const RegistryRule* rule = rule_for(reference);
  if (rule == nullptr) {
    return split_place(name_of(reference), false);
  }
  if (rule->blocked) {
    return fail(ErrorKind::kPermission, "registries.conf blocks {}", rule->prefix);
  }
  return moved(*rule, rule->location, name_of(reference), rule->insecure);
}

Result<std::vector<RegistryPlace>> RegistriesConf::places(const oci::Reference& reference) const {
  RegistryPlace own = TRY(place(reference));
  std::vector<RegistryPlace> all;
  if (const RegistryRule* rule = rule_for(reference); rule != nullptr) {
    for (const RegistryRule::Mirror& mirror : rule->mirrors) {
      all.push_back(moved(*rule, mirror.location, name_of(reference), mirror.insecure));
    }
  }
  all.push_back(std::move(own));
  return all;
}

Result<RegistriesConf> parse_registries_conf(std::string_view text, const std::string& file) {
  Parser parser;
  int number = 0;
  for (const std::string_view raw : split_lines(text)) {
    ++number;
    const std::string_view line = trim(without_comment(raw));
    if (line.empty()) {
      continue;
    }
    if (Status taken = parser.take(line); !taken) {
      return std::move(taken).error().with_location({file, number, 1}, std::string(raw));
    }
  }
  return std::move(parser).finish().context("in {}", printable(file));
}

Result<RegistriesConf> load_registries_conf(const std::map<std::string, std::string>& environment) {
  const auto value = [&](const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? "" : found->second;
  };
  std::vector<std::string> paths{"/etc/containers/registries.conf"};
  if (const std::string home = value("HOME"); !home.empty()) {
    paths.insert(paths.begin(), join_path(home, ".config/containers/registries.conf"));
  }
  if (const std::string only = value("CONTAINERS_REGISTRIES_CONF"); !only.empty()) {
    paths = {only};
  }
  for (const std::string& path : paths) {
    Result<std::string> text = io::DiskFiles().read(path, kMaxTextBytes);
    if (text) {
      return parse_registries_conf(*text, path);
    }
    if (text.error().kind != ErrorKind::kNotFound) {
      return text.error();
    }
  }
  return RegistriesConf{};
}

}  // namespace cloche::image
