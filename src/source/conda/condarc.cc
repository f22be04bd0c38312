#include "source/conda/condarc.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

#include <fmt/format.h>

#include "core/text.h"
#include "core/yaml.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxEntries = 256;  // of a list or a map

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// $NAME and ${NAME}; one that is not set stays as it is, as Python's os.path.expandvars leaves it.
std::string expand(std::string_view text, const Surroundings& surroundings) {
  std::string out;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    out += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) {
      break;
    }
    const bool braced = text.starts_with("${");
    const std::size_t begin = braced ? 2 : 1;
    std::size_t end = begin;
    while (end < text.size() && is_name_char(text[end])) {
      ++end;
    }
    const std::string name(text.substr(begin, end - begin));
    const bool closed = !braced || (end < text.size() && text[end] == '}');
    const auto found = surroundings.environment.find(name);
    if (closed && found != surroundings.environment.end()) {
      out += found->second;
      text.remove_prefix(end + (braced ? 1 : 0));
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

// One file being applied.
struct Context {
  const Surroundings& surroundings;
  const std::vector<std::string_view> lines;
  const std::string& file;
};

Error wrong(const Context& context, const YamlNode& node, std::string_view key,
            std::string_view expected) {
  const auto line = static_cast<std::size_t>(node.at.line);
  std::string excerpt(line >= 1 && line <= context.lines.size() ? context.lines[line - 1] : "");
  return fail(ErrorKind::kInvalid, "{} is {}, where {} is expected", key, node.kind_name(),
              expected)
      .with_location(node.at, std::move(excerpt))
      .with_hint("see docs/formats/channels.md for what .condarc may say about channels");
}

Result<std::string> read_text(const Context& context, const YamlNode& node, std::string_view key) {
  if (!node.is_scalar()) {
    return wrong(context, node, key, "a text");
  }
  return expand(node.text, context.surroundings);
}

Result<std::vector<std::string>> read_list(const Context& context, const YamlNode& node,
                                           std::string_view key) {
  std::vector<std::string> out;
  if (node.is_null()) {
    return out;
  }
  if (node.is_scalar()) {  // conda takes one text, or several with commas, for a list
    for (const std::string_view part : split(node.text, ',')) {
      if (!trim(part).empty()) {
        out.push_back(expand(trim(part), context.surroundings));
      }
    }
    return out;
  }
  if (!node.is_sequence() || node.items.size() > kMaxEntries) {
    return wrong(context, node, key, "a list of at most 256 texts");
  }
  for (const YamlNode& item : node.items) {
    out.push_back(TRY(read_text(context, item, key)));
  }
  return out;
}

Status check_map(const Context& context, const YamlNode& node, std::string_view key) {
  if (!node.is_mapping() || node.members.size() > kMaxEntries) {
    return wrong(context, node, key, "a mapping of at most 256 entries");
  }
  return {};
}

Result<double> read_number(const Context& context, const YamlNode& node, std::string_view key) {
  double value = 0;
  if (node.is_scalar()) {
    const std::string_view text = trim(node.text);
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (error == std::errc() && stop == end && value >= 0 && value <= 1e6) {
      return value;
    }
  }
  return wrong(context, node, key, "a number from 0 to 1000000");
}

Result<bool> read_bool(const Context& context, const YamlNode& node, std::string_view key) {
  if (const auto value = node.as_bool()) {
    return *value;
  }
  // Quoted, or from the environment: conda takes the words as well.
  const std::string word = to_lower(node.is_scalar() ? node.text : "");
  if (word == "true" || word == "yes" || word == "on" || word == "1") {
    return true;
  }
  if (word == "false" || word == "no" || word == "off" || word == "0" || word.empty()) {
    return node.is_scalar() ? Result<bool>(false) : wrong(context, node, key, "true or false");
  }
  return wrong(context, node, key, "true or false");
}

// What counts more comes first; what was there stays behind it.
void put_in_front(std::vector<std::string>& list, std::vector<std::string> more) {
  for (std::string& old : list) {
    if (std::ranges::find(more, old) == more.end()) {
      more.push_back(std::move(old));
    }
  }
  list = std::move(more);
}

template <class Value>
void overlay(std::vector<std::pair<std::string, Value>>& map, std::string key, Value value) {
  std::erase_if(map, [&](const auto& entry) { return entry.first == key; });
  map.insert(map.begin(), {std::move(key), std::move(value)});
}

using Settings = ChannelSettings;
using Apply = std::function<Status(const Context&, const YamlNode&, std::string_view, Settings&)>;

Apply text(std::string Settings::* member) {
  return [member](const Context& context, const YamlNode& node, std::string_view key,
                  Settings& settings) -> Status {
    settings.*member = TRY(read_text(context, node, key));
    return {};
  };
}

Apply list(std::vector<std::string> Settings::* member) {
  return [member](const Context& context, const YamlNode& node, std::string_view key,
                  Settings& settings) -> Status {
    put_in_front(settings.*member, TRY(read_list(context, node, key)));
    return {};
  };
}

// Where the built-in value is a default, not something to add to.
Apply replacing_list(std::vector<std::string> Settings::* member) {
  return [member](const Context& context, const YamlNode& node, std::string_view key,
                  Settings& settings) -> Status {
    std::vector<std::string> value = TRY(read_list(context, node, key));
    if (settings.*member == Settings().*member) {
      (settings.*member).clear();
    }
    put_in_front(settings.*member, std::move(value));
    return {};
  };
}

Apply rule_list(std::vector<std::string> Settings::* member) {
  return [apply = list(member)](const Context& context, const YamlNode& node, std::string_view key,
                                Settings& settings) -> Status {
    settings.lists_from = context.file;
    return apply(context, node, key, settings);
  };
}

Apply boolean(std::optional<bool> Settings::* member) {
  return [member](const Context& context, const YamlNode& node, std::string_view key,
                  Settings& settings) -> Status {
    settings.*member = TRY(read_bool(context, node, key));
    return {};
  };
}

Apply number(std::optional<double> Settings::* member) {
  return [member](const Context& context, const YamlNode& node, std::string_view key,
                  Settings& settings) -> Status {
    settings.*member = TRY(read_number(context, node, key));
    return {};
  };
}

Apply map_of_lists(Settings::NamedLists Settings::* member) {
  return [member](const Context& context, const YamlNode& node, std::string_view key,
                  Settings& settings) -> Status {
    TRY(check_map(context, node, key));
    for (auto entry = node.members.rbegin(); entry != node.members.rend(); ++entry) {
      overlay(settings.*member, entry->key.text, TRY(read_list(context, entry->value, key)));
    }
    return {};
  };
}

Status apply_custom_channels(const Context& context, const YamlNode& node, std::string_view key,
                             Settings& settings) {
  TRY(check_map(context, node, key));
  for (auto entry = node.members.rbegin(); entry != node.members.rend(); ++entry) {
    overlay(settings.custom_channels, entry->key.text, TRY(read_text(context, entry->value, key)));
  }
  return {};
}

Status apply_proxies(const Context& context, const YamlNode& node, std::string_view key,
                     Settings& settings) {
  TRY(check_map(context, node, key));
  for (const YamlNode::Member& entry : node.members) {
    const bool none = entry.value.is_null();
    settings.proxy_servers[entry.key.text] = none ? "" : TRY(read_text(context, entry.value, key));
  }
  return {};
}

Status apply_priority(const Context& context, const YamlNode& node, std::string_view key,
                      Settings& settings) {
  const std::string word = to_lower(node.is_scalar() ? node.text : "");
  if (word == "strict") {
    settings.channel_priority = ChannelPriority::kStrict;
  } else if (word == "flexible" || word == "true" || word == "yes" || word == "on") {
    settings.channel_priority = ChannelPriority::kFlexible;  // conda before 4.6 wrote true
  } else if (word == "disabled" || word == "false" || word == "no" || word == "off") {
    settings.channel_priority = ChannelPriority::kDisabled;
  } else {
    return wrong(context, node, key, "strict, flexible or disabled");
  }
  return {};
}

Status apply_ssl_verify(const Context& context, const YamlNode& node, std::string_view key,
                        Settings& settings) {
  const std::string value = TRY(read_text(context, node, key));
  const std::string word = to_lower(value);
  const bool yes = word == "true" || word == "yes" || word == "on" || word == "1" ||
                   word == "<true>" || word == "truststore" || word == "<system>";
  const bool no =
      word == "false" || word == "no" || word == "off" || word == "0" || word == "<false>";
  settings.ssl_verify = yes ? "true" : no ? "false" : value;
  return {};
}

Status apply_retries(const Context& context, const YamlNode& node, std::string_view key,
                     Settings& settings) {
  settings.remote_max_retries = static_cast<int>(TRY(read_number(context, node, key)));
  return {};
}

struct Key {
  std::string_view name;
  Apply apply;
  bool is_map = false;             // cannot be written in an environment variable
  std::string_view also_called{};  // the name of the same setting

  std::string setting() const { return std::string(also_called.empty() ? name : also_called); }
};

const std::vector<Key>& known_keys() {
  static const std::vector<Key> kKeys = {
      {"channel_alias", text(&Settings::channel_alias)},
      {"channels", list(&Settings::channels)},
      {"default_channels", replacing_list(&Settings::default_channels)},
      {"custom_channels", apply_custom_channels, true},
      {"custom_multichannels", map_of_lists(&Settings::custom_multichannels), true},
      {"mirrored_channels", map_of_lists(&Settings::mirrored_channels), true},
      {"migrated_channel_aliases", list(&Settings::migrated_channel_aliases)},
      {"allowlist_channels", rule_list(&Settings::allowlist_channels)},
      {"whitelist_channels", rule_list(&Settings::allowlist_channels), false,
       "allowlist_channels"},  // its name until 2021
      {"denylist_channels", rule_list(&Settings::denylist_channels)},
      {"channel_priority", apply_priority},
      {"add_pip_as_python_dependency", boolean(&Settings::add_pip_as_python_dependency)},
      {"override_channels_enabled", boolean(&Settings::override_channels_enabled)},
      {"offline", boolean(&Settings::offline)},
      {"use_sharded_repodata", boolean(&Settings::use_sharded_repodata)},
      {"ssl_verify", apply_ssl_verify},
      {"verify_ssl", apply_ssl_verify, false, "ssl_verify"},
      {"proxy_servers", apply_proxies, true},
      {"remote_connect_timeout_secs", number(&Settings::remote_connect_timeout_s)},
      {"remote_read_timeout_secs", number(&Settings::remote_read_timeout_s)},
      {"remote_max_retries", apply_retries},
      {"remote_backoff_factor", number(&Settings::remote_backoff_factor)},
  };
  return kKeys;
}

const Key* find_key(std::string_view name) {
  const std::vector<Key>& keys = known_keys();
  const auto found = std::ranges::find(keys, name, &Key::name);
  return found == keys.end() ? nullptr : &*found;
}

// conda's flag, a comment behind the value or, where that is a list or a map, behind the key.
bool is_final(const Context& context, const YamlNode::Member& member) {
  const auto line = static_cast<std::size_t>(member.key.at.line);
  if (line < 1 || line > context.lines.size()) {
    return false;
  }
  const std::string_view text = context.lines[line - 1];
  const std::size_t flag = text.rfind("#!");
  return flag != std::string_view::npos && flag > 0 &&
         (text[flag - 1] == ' ' || text[flag - 1] == '\t') &&
         trim(text.substr(flag + 2)) == "final";
}

Status read_file(const std::string& path, const Surroundings& surroundings, FileSource& files,
                 ChannelSettings& settings) {
  const Result<std::string> content = files.read(path, kMaxFileBytes);
  if (!content) {
    return content.error().kind == ErrorKind::kNotFound ? Status() : Status(content.error());
  }
  return apply_condarc(*content, path, surroundings, settings);
}

// condarc.d/: every .yml and .yaml in the order of names.
Status read_directory(const std::string& path, const Surroundings& surroundings, FileSource& files,
                      ChannelSettings& settings) {
  const std::string directory(path.substr(0, path.size() - 1));
  const Result<FileKind> kind = files.kind(directory);
  if (!kind || *kind != FileKind::kDirectory) {
    return {};
  }
  const std::vector<FileEntry> entries = TRY(files.list(directory));
  for (const FileEntry& entry : entries) {
    if (entry.name.ends_with(".yml") || entry.name.ends_with(".yaml")) {
      TRY(read_file(path + entry.name, surroundings, files, settings));
    }
  }
  return {};
}

}  // namespace

Status apply_condarc(std::string_view text, const std::string& file,
                     const Surroundings& surroundings, ChannelSettings& settings) {
  const YamlNode root = TRY(parse_yaml(text, file));
  if (root.is_null()) {
    return {};
  }
  const Context context{surroundings, split_lines(text), file};
  if (!root.is_mapping()) {
    return wrong(context, root, "the file", "a mapping of settings");
  }
  std::vector<std::string> closed;  // by this file, from the next one on
  for (const YamlNode::Member& member : root.members) {
    const Key* key = find_key(member.key.text);
    if (key == nullptr || member.value.is_null() || settings.final_keys.contains(key->setting())) {
      continue;
    }
    TRY(key->apply(context, member.value, key->name, settings));
    if (is_final(context, member)) {
      closed.push_back(key->setting());
    }
  }
  settings.final_keys.insert(closed.begin(), closed.end());
  return {};
}

Status apply_environment(const Surroundings& surroundings, ChannelSettings& settings) {
  for (const Key& key : known_keys()) {
    const std::string variable = "CONDA_" + to_upper(key.name);
    const auto found = surroundings.environment.find(variable);
    if (key.is_map || found == surroundings.environment.end() || trim(found->second).empty() ||
        settings.final_keys.contains(key.setting())) {
      continue;
    }
    YamlNode node;
    node.text = trim(found->second);
    node.at.file = "$" + variable;
    const Context context{surroundings, {}, node.at.file};
    TRY(key.apply(context, node, variable, settings));
  }
  return {};
}

std::vector<std::string> condarc_search_path(const Surroundings& surroundings) {
  std::vector<std::string> out;
  const auto add_all = [&out](const std::string& folder) {
    if (!folder.empty()) {
      out.insert(out.end(), {folder + "/.condarc", folder + "/condarc", folder + "/condarc.d/"});
    }
  };
  const auto below = [](const std::string& folder, std::string_view name) {
    return folder.empty() ? "" : join_path(folder, name);
  };
  add_all("/etc/conda");
  add_all("/var/lib/conda");
  add_all(surroundings.variable("CONDA_ROOT"));
  add_all(below(surroundings.variable("XDG_CONFIG_HOME"), "conda"));
  add_all(below(surroundings.home, ".config/conda"));
  add_all(below(surroundings.home, ".conda"));
  if (!surroundings.home.empty()) {
    out.push_back(join_path(surroundings.home, ".condarc"));
  }
  add_all(surroundings.variable("CONDA_PREFIX"));
  for (const char* name : {"CONDARC", "MAMBARC"}) {
    if (!surroundings.variable(name).empty()) {
      out.push_back(join_path(surroundings.directory, surroundings.variable(name)));
    }
  }
  return out;
}

Result<ChannelSettings> read_channel_settings(const Surroundings& surroundings, FileSource& files) {
  ChannelSettings settings;
  for (const std::string& path : condarc_search_path(surroundings)) {
    TRY(path.ends_with('/') ? read_directory(path, surroundings, files, settings)
                            : read_file(path, surroundings, files, settings));
  }
  TRY(apply_environment(surroundings, settings));
  return settings;
}

void apply_to(io::HttpOptions& options, const ChannelSettings& settings) {
  constexpr double kMsPerSecond = 1000;
  if (settings.ssl_verify == "false") {
    options.verify_certificates = false;
  } else if (!settings.ssl_verify.empty() && settings.ssl_verify != "true") {
    options.ca_file = settings.ssl_verify;
  }
  for (const auto& [name, proxy] : settings.proxy_servers) {
    options.proxies[name] = proxy;
  }
  if (settings.remote_connect_timeout_s) {
    options.connect_timeout_ms =
        static_cast<std::int64_t>(*settings.remote_connect_timeout_s * kMsPerSecond);
  }
  if (settings.remote_read_timeout_s) {
    options.stall_timeout_s =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(*settings.remote_read_timeout_s));
  }
  options.retries = settings.remote_max_retries.value_or(options.retries);
  if (settings.remote_backoff_factor) {
    options.backoff_base_ms =
        static_cast<std::int64_t>(*settings.remote_backoff_factor * kMsPerSecond);
  }
}

}  // namespace cloche::source
