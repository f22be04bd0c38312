#include "workspace/settings.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/excerpt.h"
#include "core/size.h"
#include "core/text.h"
#include "core/yaml.h"
#include "package/oci/reference.h"

namespace cloche::workspace {
namespace {

Error wrong(const YamlNode& node, std::string_view message, std::string hint) {
  return fail(ErrorKind::kInvalid, "{}", message).with_location(node.at).with_hint(std::move(hint));
}

Result<std::string> text_of(const YamlNode& node) {
  if (!node.is_scalar() || trim(node.text).empty()) {
    return wrong(node, fmt::format("a text is expected here, not {}", node.kind_name()),
                 "write it after the colon, on the same line");
  }
  return node.text;
}

Status read_image(const YamlNode& node, Settings& settings) {
  settings.read_options.default_image = TRY(text_of(node));
  auto parsed = oci::parse_reference(settings.read_options.default_image);
  if (!parsed) {
    Error error = std::move(parsed).error().with_location(node.at);
    if (error.hint.empty()) {
      error.hint = "write it as docker does: [REGISTRY/]NAME[:TAG]";
    }
    return error;
  }
  return {};
}

Status read_channels(const YamlNode& node, Settings& settings) {
  if (!node.is_sequence() || node.items.empty()) {
    return wrong(node, fmt::format("a list of channels is expected here, not {}", node.kind_name()),
                 "write '- conda-forge' on a line of its own below");
  }
  settings.read_options.default_channels.clear();
  for (const YamlNode& item : node.items) {
    settings.read_options.default_channels.push_back(TRY(text_of(item)));
  }
  return {};
}

Status read_user(const YamlNode& node, Settings& settings) {
  settings.user = TRY(text_of(node));
  return {};
}

Status read_quota(const YamlNode& node, Settings& settings) {
  const std::string text = TRY(text_of(node));
  auto bytes = parse_size(text);
  if (!bytes) {
    return wrong(node, bytes.error().message, bytes.error().hint);
  }
  settings.quota_bytes = *bytes;
  return {};
}

struct Key {
  std::string_view name;
  Status (*read)(const YamlNode& node, Settings& settings);
};
constexpr std::array<Key, 4> kKeys = {{
    {"default_image", read_image},
    {"default_channels", read_channels},
    {"user", read_user},
    {"quota", read_quota},
}};

void warn_unknown(const YamlNode& key, Diagnostics& diagnostics) {
  std::array<std::string_view, kKeys.size()> names;
  std::ranges::transform(kKeys, names.begin(), &Key::name);
  const std::string_view near = nearest(key.text, names);
  diagnostics.warn("settings-unknown-key", key.at,
                   fmt::format("unknown setting '{}' is ignored", printable(key.text)),
                   near.empty() ? fmt::format("the settings are {}", fmt::join(names, ", "))
                                : fmt::format("did you mean {}?", near));
}

Result<Settings> read_root(const YamlNode& root) {
  Settings settings;
  if (root.is_null()) {  // an empty file
    return settings;
  }
  if (!root.is_mapping()) {
    return wrong(root, fmt::format("settings are a mapping, not {}", root.kind_name()),
                 "write 'default_image: NAME'");
  }
  for (const YamlNode::Member& member : root.members) {
    const auto* key = std::ranges::find(kKeys, member.key.text, &Key::name);
    if (key == kKeys.end()) {
      warn_unknown(member.key, settings.diagnostics);
    } else if (!member.value.is_null()) {
      TRY(key->read(member.value, settings).context("reading '{}'", key->name));
    }
  }
  return settings;
}

}  // namespace

Result<Settings> parse_settings(std::string_view text, const std::string& file) {
  auto settings = read_root(TRY(parse_yaml(text, file)));
  if (!settings) {
    Excerpts(text, file).fill(settings.error());
  }
  return settings;
}

Result<Settings> read_settings(const std::string& directory, FileSource& files) {
  const std::string path = join_path(directory, "settings.yaml");
  auto text = files.read(path, kMaxTextBytes);
  if (!text && text.error().kind == ErrorKind::kNotFound) {
    return Settings{};
  }
  return parse_settings(TRY(std::move(text)), path);
}

}  // namespace cloche::workspace
