#include "runtime/cdi_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>
#include <span>

#include <fmt/format.h>

#include "core/text.h"
#include "core/yaml.h"

// JSON is read as the YAML it is, so that errors have lines. As the specification demands, a spec
// with an unknown field is refused: leaving it out could give a container that does not work.

namespace cloche::runtime {
namespace {

using Names = std::span<const std::string_view>;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }

// Letters and digits at both ends, and between them also some of `between`.
bool is_name(std::string_view text, std::string_view between) {
  return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         std::ranges::all_of(text, [&](char c) {
           return is_alphanumeric(c) || between.find(c) != std::string_view::npos;
         });
}

bool is_device_name(std::string_view text) { return is_name(text, "-_.:"); }

bool is_kind(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return false;
  }
  const std::string_view vendor = text.substr(0, slash);
  const std::string_view group = text.substr(slash + 1);
  return is_name(vendor, "-_.") && is_letter(vendor.front()) && is_name(group, "-_.") &&
         is_letter(group.front());
}

Error wrong(const YamlNode& node, std::string message) {
  return fail(ErrorKind::kInvalid, "{}", message).with_location(node.at);
}

Status check_keys(const YamlNode& node, std::string_view what, Names known) {
  if (!node.is_mapping()) {
    return wrong(node, fmt::format("{} is no mapping", what));
  }
  for (const YamlNode::Member& one : node.members) {
    if (std::ranges::find(known, one.key.text) == known.end()) {
      const std::string_view near = nearest(one.key.text, known);
      return wrong(one.key, fmt::format("{} has no field '{}'", what, printable(one.key.text)))
          .with_hint(near.empty() ? "it may be of a version of the interface that is newer"
                                  : fmt::format("did you mean '{}'?", near));
    }
  }
  return {};
}

// Absent and null are the same, as for Go's readers.
const YamlNode* field(const YamlNode& node, std::string_view key) {
  const YamlNode* const found = node.find(key);
  return found != nullptr && !found->is_null() ? found : nullptr;
}

Result<std::string> text_of(const YamlNode& node, std::string_view key) {
  const YamlNode* const found = field(node, key);
  if (found == nullptr) {
    return std::string();
  }
  if (!found->is_scalar() || (found->plain && (found->is_number() || found->as_bool()))) {
    return wrong(*found, fmt::format("'{}' is no text", key));
  }
  if (found->text.find('\0') != std::string::npos) {
    return wrong(*found, fmt::format("'{}' holds a NUL byte", key));
  }
  return found->text;
}

Result<std::string> path_of(const YamlNode& node, std::string_view key, bool required) {
  std::string out = TRY(text_of(node, key));
  if (out.empty() ? required : out.front() != '/') {
    return wrong(node, out.empty() ? fmt::format("'{}' is missing", key)
                                   : fmt::format("'{}' is not absolute", key));
  }
  return out;
}

Result<std::vector<std::string>> texts_of(const YamlNode& node, std::string_view key) {
  std::vector<std::string> out;
  const YamlNode* const found = field(node, key);
  if (found == nullptr) {
    return out;
  }
  if (!found->is_sequence()) {
    return wrong(*found, fmt::format("'{}' is no list", key));
  }
  for (const YamlNode& one : found->items) {
    if (!one.is_scalar() || one.text.find('\0') != std::string::npos) {
      return wrong(one, fmt::format("'{}' holds something that is no text", key));
    }
    out.push_back(one.text);
  }
  return out;
}

// As YAML 1.1 has them: 438, 0666, 0x1b6.
std::optional<std::int64_t> integer_in(const YamlNode& node) {
  if (!node.is_scalar() || !node.plain) {
    return std::nullopt;
  }
  std::string_view digits = node.text;
  int base = 10;
  if (digits.starts_with("0x")) {
    digits.remove_prefix(2);
    base = 16;
  } else if (digits.size() > 1 && digits.front() == '0') {
    digits.remove_prefix(digits[1] == 'o' ? 2 : 1);
    base = 8;
  }
  std::int64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return error == std::errc() && end == digits.data() + digits.size() && value >= 0
             ? std::optional(value)
             : std::nullopt;
}

Result<std::optional<std::int64_t>> number_of(const YamlNode& node, std::string_view key,
                                              std::int64_t most) {
  const YamlNode* const found = field(node, key);
  if (found == nullptr) {
    return std::optional<std::int64_t>();
  }
  const auto value = integer_in(*found);
  if (!value || *value > most) {
    return wrong(*found, fmt::format("'{}' is no number from 0 to {}", key, most));
  }
  return value;
}

Result<std::optional<std::uint32_t>> small_number_of(const YamlNode& node, std::string_view key) {
  // The last one means "no change" to the kernel.
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max() - 1;
  const auto value = TRY(number_of(node, key, kMost));
  return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
}

// NAME=value
Status check_variables(const YamlNode& node, const std::vector<std::string>& variables) {
  for (const std::string& one : variables) {
    if (one.find('=') == std::string::npos || one.front() == '=') {
      return wrong(node, fmt::format("'{}' is not of the form NAME=value", printable(one)));
    }
  }
  return {};
}

Result<CdiDeviceNode> device_node(const YamlNode& node) {
  constexpr std::array<std::string_view, 9> kFields = {
      "path", "hostPath", "type", "major", "minor", "fileMode", "permissions", "uid", "gid"};
  TRY(check_keys(node, "a device node", kFields));
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  CdiDeviceNode out{.path = TRY(path_of(node, "path", true)),
                    .host_path = TRY(path_of(node, "hostPath", false)),
                    .type = TRY(text_of(node, "type")),
                    .major = TRY(number_of(node, "major", kMost)),
                    .minor = TRY(number_of(node, "minor", kMost)),
                    .file_mode = TRY(small_number_of(node, "fileMode")),
                    .uid = TRY(small_number_of(node, "uid")),
                    .gid = TRY(small_number_of(node, "gid")),
                    .permissions = TRY(text_of(node, "permissions"))};
  if (!out.type.empty() && out.type != "b" && out.type != "c" && out.type != "u" &&
      out.type != "p") {
    return wrong(node,
                 fmt::format("'{}' is no type of a device: b, c, u or p", printable(out.type)));
  }
  if (out.permissions.find_first_not_of("rwm") != std::string::npos) {
    return wrong(node, fmt::format("the permissions '{}' are not of r, w and m",
                                   printable(out.permissions)));
  }
  return out;
}

Result<CdiMount> mount(const YamlNode& node) {
  constexpr std::array<std::string_view, 4> kFields = {"hostPath", "containerPath", "type",
                                                       "options"};
  TRY(check_keys(node, "a mount", kFields));
  CdiMount out{.host_path = TRY(text_of(node, "hostPath")),
               .container_path = TRY(path_of(node, "containerPath", true)),
               .type = TRY(text_of(node, "type")),
               .options = TRY(texts_of(node, "options"))};
  if (out.host_path.empty()) {
    return wrong(node, "'hostPath' is missing");
  }
  return out;
}

Result<CdiHook> hook(const YamlNode& node) {
  constexpr std::array<std::string_view, 5> kFields = {"hookName", "path", "args", "env",
                                                       "timeout"};
  constexpr std::array<std::string_view, 6> kNames = {
      "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};
  TRY(check_keys(node, "a hook", kFields));
  constexpr std::int64_t kMostSeconds = 86400;
  CdiHook out{.name = TRY(text_of(node, "hookName")),
              .path = TRY(path_of(node, "path", true)),
              .args = TRY(texts_of(node, "args")),
              .env = TRY(texts_of(node, "env")),
              .timeout_s = TRY(number_of(node, "timeout", kMostSeconds))};
  if (std::ranges::find(kNames, out.name) == kNames.end()) {
    return wrong(node, fmt::format("'{}' is no name of a hook", printable(out.name)))
        .with_hint("prestart, createRuntime, createContainer, startContainer, poststart, poststop");
  }
  TRY(check_variables(node, out.env));
  return out;
}

template <class Part>
Result<std::vector<Part>> parts_of(const YamlNode& node, std::string_view key,
                                   Result<Part> (*read)(const YamlNode&)) {
  std::vector<Part> out;
  const YamlNode* const found = field(node, key);
  if (found == nullptr) {
    return out;
  }
  if (!found->is_sequence()) {
    return wrong(*found, fmt::format("'{}' is no list", key));
  }
  for (const YamlNode& one : found->items) {
    out.push_back(TRY(read(one)));
  }
  return out;
}

Result<std::uint32_t> group(const YamlNode& node) {
  const auto value = integer_in(node);
  if (!value || *value >= std::numeric_limits<std::uint32_t>::max()) {
    return wrong(node, "'additionalGids' holds something that is no number of a group");
  }
  return static_cast<std::uint32_t>(*value);
}

Result<CdiEdits> edits_of(const YamlNode& node, bool required) {
  constexpr std::array<std::string_view, 7> kFields = {
      "env", "deviceNodes", "mounts", "hooks", "additionalGids", "intelRdt", "netDevices"};
  const YamlNode* const found = field(node, "containerEdits");
  if (found == nullptr) {
    return required ? Result<CdiEdits>(wrong(node, "'containerEdits' is missing"))
                    : Result<CdiEdits>(CdiEdits());
  }
  TRY(check_keys(*found, "'containerEdits'", kFields));
  CdiEdits out{.env = TRY(texts_of(*found, "env")),
               .device_nodes = TRY(parts_of(*found, "deviceNodes", device_node)),
               .mounts = TRY(parts_of(*found, "mounts", mount)),
               .hooks = TRY(parts_of(*found, "hooks", hook)),
               .additional_gids = TRY(parts_of(*found, "additionalGids", group)),
               .unsupported = {}};
  TRY(check_variables(*found, out.env));
  for (const char* one : {"intelRdt", "netDevices"}) {
    if (field(*found, one) != nullptr) {
      out.unsupported.emplace_back(one);
    }
  }
  return out;
}

Result<CdiDevice> device(const YamlNode& node) {
  constexpr std::array<std::string_view, 3> kFields = {"name", "annotations", "containerEdits"};
  TRY(check_keys(node, "a device", kFields));
  const YamlNode* const name = field(node, "name");
  if (name == nullptr || !name->is_scalar() || !is_device_name(name->text)) {  // 0 is a name
    return wrong(name == nullptr ? node : *name,
                 name == nullptr
                     ? std::string("a device has no name")
                     : fmt::format("'{}' is no name of a device", printable(name->text)));
  }
  return CdiDevice{.name = name->text, .edits = TRY(edits_of(node, true))};
}

Status check_version(const YamlNode& root) {
  const YamlNode* const node = field(root, "cdiVersion");
  if (node == nullptr || !node->is_scalar()) {
    return wrong(root, "'cdiVersion' is missing");
  }
  std::array<int, 3> numbers{};
  const auto parts = split(node->text, '.');
  bool good = parts.size() == numbers.size();
  for (std::size_t i = 0; good && i < numbers.size(); ++i) {
    const auto [last, error] =
        std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), numbers[i]);
    good = error == std::errc() && last == parts[i].data() + parts[i].size() && !parts[i].empty() &&
           is_digit(parts[i].front());
  }
  if (!good) {
    return wrong(*node, fmt::format("'{}' is no version of the Container Device Interface",
                                    printable(node->text)));
  }
  const bool known = (numbers[0] == 0 && numbers[1] >= 3) || numbers[0] == 1;
  return known ? Status()
               : Status(fail(ErrorKind::kUnsupported,
                             "version {} of the Container Device Interface is not known here",
                             node->text)
                            .with_location(node->at)
                            .with_hint("0.3.0 to 1.1.0 are; let the vendor's tool write it anew"));
}

}  // namespace

void CdiEdits::append(const CdiEdits& more) {
  const auto add = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  add(env, more.env);
  add(device_nodes, more.device_nodes);
  add(mounts, more.mounts);
  add(hooks, more.hooks);
  add(additional_gids, more.additional_gids);
  add(unsupported, more.unsupported);
}

Result<CdiSpec> parse_cdi_spec(std::string_view text, const std::string& file) {
  constexpr std::array<std::string_view, 5> kFields = {"cdiVersion", "kind", "annotations",
                                                       "devices", "containerEdits"};
  const YamlNode root = TRY(parse_yaml(text, file));
  if (!root.is_mapping()) {
    return wrong(root, "a spec of the Container Device Interface is a mapping");
  }
  TRY(check_version(root));  // first: what else is there depends on it
  TRY(check_keys(root, "the spec", kFields));
  CdiSpec out{.file = file,
              .kind = TRY(text_of(root, "kind")),
              .devices = TRY(parts_of(root, "devices", device)),
              .edits = TRY(edits_of(root, false))};
  if (!is_kind(out.kind)) {
    return wrong(root,
                 fmt::format("'{}' is no kind of devices (vendor.com/class)", printable(out.kind)));
  }
  if (out.devices.empty()) {
    return wrong(root, "it has no devices");
  }
  std::set<std::string_view> names;
  for (const CdiDevice& one : out.devices) {
    if (!names.insert(one.name).second) {
      return wrong(root, fmt::format("the device {} is there twice", one.name));
    }
  }
  return out;
}

bool is_qualified_device(std::string_view name) {
  const std::size_t equals = name.find('=');
  return equals != std::string_view::npos && is_kind(name.substr(0, equals)) &&
         is_device_name(name.substr(equals + 1));
}

}  // namespace cloche::runtime
