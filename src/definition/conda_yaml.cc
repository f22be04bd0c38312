// environment.yml by CEP 24 and conda's own reader (conda/env/env.py); docs/formats/
// conda-environment.md specifies what is read how.
#include "definition/conda_yaml.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/excerpt.h"
#include "core/text.h"
#include "definition/placeholder.h"
#include "definition/requirements_txt.h"
#include "definition/selector_comments.h"
#include "package/conda/match_spec.h"
#include "package/conda/platform.h"
#include "package/conda/selector.h"

namespace cloche::definition {
namespace {

constexpr int kMaxWarnings = 200;
constexpr std::size_t kMaxChannels = 1000;
constexpr std::size_t kMaxDependencies = 20'000;

Error refuse(const Location& at, std::string message, std::string hint = "") {
  return fail(ErrorKind::kInvalid, "{}", message).with_location(at).with_hint(std::move(hint));
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view near = nearest(word, candidates);
  return near.empty() ? "" : fmt::format("did you mean {}?", near);
}

// ---- Files that people mistake for a conda environment ----

struct Lookalike {
  std::string_view key;
  std::string_view what, hint;
};
constexpr std::array<Lookalike, 14> kLookalikes = {{
    {"build_dependencies", "MLflow's python_env.yaml, not a conda environment",
     "use the conda.yaml or the requirements.txt that stands beside it"},
    {"conda_file", "an Azure ML environment, not a conda one",
     "give this file itself to 'cloche env create -f', or the conda file that it names"},
    {"image", "an Azure ML environment, not a conda one",
     "give this file itself to 'cloche env create -f'"},
    {"inference_config", "an Azure ML environment, not a conda one",
     "give this file itself to 'cloche env create -f'"},
    {"$schema", "an Azure ML file of another kind, not a conda environment",
     "a conda environment has a list of 'dependencies'"},
    {"command", "a job or component, not a conda environment",
     "give the environment that it names"},
    {"code", "a job or component, not a conda environment", "give the environment that it names"},
    {"jobs", "a pipeline job, not a conda environment", "give the environments that it names"},
    {"requirements", "a conda recipe, not a conda environment",
     "list the packages below 'dependencies:' in a file of their own"},
    {"services", "a compose file, not a conda environment", ""},
    {"repos", "a pre-commit configuration, not a conda environment", ""},
    {"metadata", "a lock file, not a conda environment",
     "use the environment.yml that it was made from"},
    {"python", "MLflow's python_env.yaml, not a conda environment",
     "use the conda.yaml or the requirements.txt that stands beside it"},
    {"packages", "not a conda environment", "list the packages below 'dependencies:'"},
}};

const Lookalike* find_lookalike(const YamlNode& root) {
  const bool mlflow = root.find("build_dependencies") != nullptr;  // it has dependencies, too
  if (root.find("dependencies") != nullptr) {
    return mlflow ? kLookalikes.data() : nullptr;
  }
  const auto* found = std::ranges::find_if(
      kLookalikes, [&](const Lookalike& one) { return root.find(one.key) != nullptr; });
  return found == kLookalikes.end() ? nullptr : found;
}

// ---- The reader ----

class Reader {
 public:
  Reader(const std::string& file, FileSource& files, const ReadOptions& options,
         SelectorComments* comments, Diagnostics& diagnostics)
      : file_(file),
        files_(files),
        options_(options),
        comments_(comments),
        diagnostics_(diagnostics) {}

  Result<CondaYaml> read(const YamlNode& root) {
    TRY(check_root(root));
    for (const YamlNode::Member& member : root.members) {
      TRY(read_key(member));
    }
    if (out_.conda.channels.empty()) {
      fill_channels();
    }
    TRY(read_pip_items());
    if (out_.conda.dependencies.empty() && !out_.pip) {
      warn("conda-no-dependencies", root.find("dependencies")->at,
           "the environment asks for no packages");
    }
    return std::move(out_);
  }

 private:
  struct Key {
    std::string_view name;
    Status (Reader::*read)(const YamlNode& value);
  };
  static constexpr std::size_t kKeyCount = 7;
  static const std::array<Key, kKeyCount>& keys() {
    static constexpr std::array<Key, kKeyCount> kKeys = {{
        {"name", &Reader::read_name},
        {"channels", &Reader::read_channels},
        {"dependencies", &Reader::read_dependencies},
        {"variables", &Reader::read_variables},
        {"prefix", &Reader::read_prefix},
        {"platforms", &Reader::read_platforms},
        {"category", &Reader::read_category},
    }};
    return kKeys;
  }

  static std::span<const std::string_view> key_names() {
    static const auto kNames = [] {
      std::array<std::string_view, kKeyCount> names;
      std::ranges::transform(keys(), names.begin(), &Key::name);
      return names;
    }();
    return kNames;
  }

  static Status check_root(const YamlNode& root) {
    if (root.is_null()) {
      return refuse(root.at, "a conda environment file is empty",
                    "write at least 'dependencies:' and a list of packages");
    }
    if (!root.is_mapping()) {
      return refuse(root.at,
                    fmt::format("a conda environment is a mapping, not {}", root.kind_name()),
                    "write 'dependencies:' above the list of packages");
    }
    if (const Lookalike* other = find_lookalike(root)) {
      const auto member =
          std::ranges::find(root.members, other->key, [](const auto& one) { return one.key.text; });
      return refuse(member->key.at, fmt::format("this is {}", other->what),
                    std::string(other->hint));
    }
    return root.find("dependencies") != nullptr ? Status() : no_dependencies(root);
  }

  static Error no_dependencies(const YamlNode& root) {
    static constexpr std::array<std::string_view, 1> kOnly = {"dependencies"};
    for (const YamlNode::Member& member : root.members) {
      if (!nearest(member.key.text, kOnly).empty()) {
        return refuse(
            member.key.at,
            fmt::format("a conda environment has no key '{}'", printable(member.key.text)),
            "did you mean dependencies?");
      }
    }
    return refuse(root.at, "the key 'dependencies' is missing",
                  "a conda environment lists its packages below 'dependencies:'");
  }

  Status read_key(const YamlNode::Member& member) {
    const auto& table = keys();
    const auto* key = std::ranges::find(table, member.key.text, &Key::name);
    if (key != table.end()) {
      refuse_selector(member.key.at);
      return (this->*key->read)(member.value);
    }
    warn("conda-unknown-key", member.key.at,
         fmt::format("'{}' is no key of a conda environment and is ignored",
                     printable(member.key.text)),
         warnings_ < kMaxWarnings ? did_you_mean(member.key.text, key_names()) : "");
    return {};
  }

  // ---- name, prefix, category ----

  Status read_name(const YamlNode& value) {
    if (value.is_null()) {
      return {};
    }
    out_.conda.name = trim(TRY(scalar(value, "the name")));
    const std::string& name = out_.conda.name;
    if (name == "base" || name == "root") {
      warn("conda-name", value.at, fmt::format("conda refuses the environment name '{}'", name));
    } else if (name.find_first_of("/ :#") != std::string::npos) {
      warn("conda-name", value.at, "conda refuses environment names with '/', ':', '#' or a blank");
    }
    return {};
  }

  Status read_prefix(const YamlNode& value) {
    diagnostics_.note("conda-prefix", value.at,
                      "'prefix' is ignored: where an environment lies is not part of it",
                      "remove the line; 'conda env export' writes it");
    return {};
  }

  Status read_category(const YamlNode& value) {
    diagnostics_.note("conda-category", value.at, "'category' is read and has no effect");
    return {};
  }

  // ---- channels, platforms ----

  Status read_channels(const YamlNode& value) {
    if (value.items.size() > kMaxChannels) {
      return refuse(value.at, fmt::format("more than {} channels", kMaxChannels));
    }
    bool nodefaults_only = false;
    for (const YamlNode* item : TRY(list(value, "channels", "- conda-forge"))) {
      Line line{TRY(scalar(*item, "a channel")), item->at};
      line.text = collapse_blanks(line.text);
      TRY(check_channel(line));
      refuse_selector(item->at);
      if (line.text == "nodefaults") {
        out_.conda.nodefaults = true;
        nodefaults_only = out_.conda.channels.empty();
      } else if (std::ranges::find(out_.conda.channels, line.text, &Line::text) !=
                 out_.conda.channels.end()) {
        warn("conda-channel-twice", line.at,
             fmt::format("the channel '{}' stands twice; its first place counts",
                         printable(line.text)));
      } else {
        nodefaults_only = false;
        out_.conda.channels.push_back(std::move(line));
      }
    }
    if (nodefaults_only) {
      return refuse(value.at, "'nodefaults' leaves no channel to take packages from",
                    "name a channel beside it, such as conda-forge");
    }
    return {};
  }

  static Status check_channel(const Line& line) {
    if (line.text.empty()) {
      return refuse(line.at, "a channel is empty", "remove the line or name a channel");
    }
    if (printable(line.text) != line.text) {
      return refuse(line.at, "a channel holds a control character");
    }
    if (line.text.find(',') != std::string::npos ||
        (line.text.find(' ') != std::string::npos && line.text.find('/') == std::string::npos)) {
      return refuse(line.at, "a channel's name holds a blank or a comma",
                    "write each channel on its own line: '- conda-forge'");
    }
    return {};
  }

  void fill_channels() {
    for (const std::string& channel : options_.default_channels) {
      out_.conda.channels.push_back({channel, {}});
    }
    warn("no-channels", {file_, 0, 0},
         fmt::format("no channels are named, so the default is taken: {}",
                     join(options_.default_channels, ", ")),
         "add 'channels:' with conda-forge, or what you use");
  }

  Status read_platforms(const YamlNode& value) {
    for (const YamlNode* item : TRY(list(value, "platforms", "- linux-64"))) {
      std::string platform = std::string(trim(TRY(scalar(*item, "a platform"))));
      if (platform == "noarch") {
        return refuse(item->at, "'noarch' is no platform to make an environment for",
                      "name a platform such as linux-64");
      }
      if (!conda::is_known_subdir(platform)) {
        return refuse(item->at, fmt::format("'{}' is no platform", printable(platform)),
                      did_you_mean(platform, conda::known_subdirs()));
      }
      if (std::ranges::find(out_.conda.platforms, platform) == out_.conda.platforms.end()) {
        out_.conda.platforms.push_back(std::move(platform));
      }
    }
    return {};
  }

  // ---- variables ----

  Status read_variables(const YamlNode& value) {
    if (value.is_null()) {
      return {};
    }
    if (!value.is_mapping()) {
      return refuse(value.at, fmt::format("'variables' is a mapping, not {}", value.kind_name()),
                    "write each variable as 'NAME: value' on its own line");
    }
    for (const auto& [key, variable] : value.members) {
      refuse_selector(key.at);
      if (key.text.empty() ||
          key.text.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
        return refuse(key.at, "a variable's name is empty or holds '='", "write 'NAME: value'");
      }
      if (!is_usual_variable(key.text)) {
        warn(
            "conda-variable-name", key.at,
            fmt::format("'{}' is an unusual name for an environment variable", printable(key.text)),
            "shells know letters, digits and '_' only");
      }
      const std::string text =
          TRY(scalar(variable, fmt::format("the variable {}", printable(key.text))));
      if (text.find('\0') != std::string::npos) {
        return refuse(variable.at, "a variable's value holds a NUL character");
      }
      out_.conda.variables[key.text] = variable.is_null() ? "" : text;
    }
    return {};
  }

  static bool is_usual_variable(std::string_view name) {
    const bool digit_first = name.front() >= '0' && name.front() <= '9';
    return !digit_first && std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
  }

  // ---- dependencies ----

  Status read_dependencies(const YamlNode& value) {
    if (value.items.size() > kMaxDependencies) {
      return refuse(value.at, fmt::format("more than {} dependencies", kMaxDependencies));
    }
    if (value.is_null()) {
      return refuse(value.at, "'dependencies' is empty",
                    "list packages below it ('- python=3.11'), or write 'dependencies: []'");
    }
    for (const YamlNode* item : TRY(list(value, "dependencies", "- numpy"))) {
      if (item->is_mapping()) {
        TRY(read_subsections(*item));
      } else if (item->is_sequence()) {
        return refuse(item->at, "a list stands where a package should",
                      "remove one of the dashes, or check the indentation");
      } else {
        TRY(add_dependency(*item, comment_selector(item->at)));
      }
    }
    return {};
  }

  Status add_dependency(const YamlNode& item, std::string selector) {
    if (item.is_null()) {
      return refuse(item.at, "an item of 'dependencies' is empty",
                    "remove the dash or write a package's name");
    }
    if (item.plain && (item.is_number() || item.as_bool().has_value())) {
      return refuse(item.at,
                    fmt::format("{} is read as {}, not as a package", printable(item.text),
                                item.is_number() ? "a number" : "yes or no"),
                    item.is_number() ? fmt::format("write python={} or the like", item.text)
                                     : "put quotes around it");
    }
    auto spec = conda::parse_match_spec(item.text);
    if (!spec.has_value()) {
      return bad_spec(item, std::move(spec).error());
    }
    check_oddities(item, *spec);
    out_.conda.dependencies.push_back(
        {collapse_blanks(conda::without_spec_comment(item.text)), std::move(selector), item.at});
    return {};
  }

  // The spec's own column becomes the file's.
  static Error bad_spec(const YamlNode& item, Error error) {
    Location at = item.at;
    if (error.at.column > 1 && item.text.find_first_of("\n\r\"'\\") == std::string::npos) {
      at.column += error.at.column - 1 + (item.plain ? 0 : 1);
    }
    std::string hint = placeholder_hint(item.text);
    return refuse(at,
                  fmt::format("'{}' is no conda package: {}",
                              printable(std::string_view(item.text).substr(0, 80)), error.message),
                  hint.empty() ? std::move(error.hint) : std::move(hint));
  }

  void check_oddities(const YamlNode& item, const conda::MatchSpec& spec) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const std::string& name = spec.name;
    const std::size_t dash = name.rfind('-');
    const std::size_t point = name.find('.', dash == std::string::npos ? 0 : dash);
    if (dash != std::string::npos && dash + 1 < name.size() && is_digit(name[dash + 1]) &&
        point != std::string::npos && spec.version.empty()) {
      warn("conda-version-in-name", item.at,
           fmt::format("'{}' is taken as a package's whole name", name),
           fmt::format("did you mean {}={}?", name.substr(0, dash), name.substr(dash + 1)));
    }
    if (spec.version.starts_with("==") && std::ranges::none_of(spec.version, is_digit)) {
      warn("conda-version-without-digit", item.at,
           fmt::format("'{}' is taken as the version of {}", spec.version.substr(2), name),
           "leave it out for the newest version");
    }
  }

  // "- pip: [...]", "- sel(linux): x".
  Status read_subsections(const YamlNode& item) {
    if (item.members.empty()) {
      return refuse(item.at, "an item of 'dependencies' is empty",
                    "remove the dash or write a package's name");
    }
    for (const YamlNode::Member& member : item.members) {
      const std::string_view key = trim(member.key.text);
      if (key == "pip") {
        TRY(read_pip(member));
      } else if (key.starts_with("sel(") && key.ends_with(')')) {
        TRY(read_selected(member, key.substr(4, key.size() - 5)));
      } else {
        return unknown_subsection(member);
      }
    }
    return {};
  }

  static Error unknown_subsection(const YamlNode::Member& member) {
    static constexpr std::array<std::string_view, 2> kKnown = {"pip", "sel(linux)"};
    const std::string key = printable(member.key.text);
    std::string hint = did_you_mean(member.key.text, kKnown);
    if (hint.empty() && member.value.is_scalar() && !member.value.is_null()) {
      hint = fmt::format("a package and its version are joined by '=': '- {}={}'", key,
                         printable(member.value.text));
    }
    return refuse(member.key.at, fmt::format("'{}' is no section of dependencies", key),
                  hint.empty() ? "the sections are 'pip:' and 'sel(linux):'" : hint);
  }

  Status read_selected(const YamlNode::Member& member, std::string_view expression) {
    auto selector = conda::canonical_selector(expression);
    if (!selector.has_value()) {
      return refuse(member.key.at, selector.error().message, selector.error().hint);
    }
    if (!member.value.is_scalar()) {
      return refuse(
          member.value.at,
          fmt::format("'sel({})' takes one package, not {}", *selector, member.value.kind_name()),
          "write an item of its own for each package");
    }
    const std::string comment = comment_selector(member.key.at);
    return add_dependency(member.value, comment.empty()
                                            ? *selector
                                            : fmt::format("({}) and ({})", *selector, comment));
  }

  // ---- pip ----

  Status read_pip(const YamlNode::Member& member) {
    refuse_selector(member.key.at);
    if (pip_at_.line > 0) {
      warn("conda-pip-twice", member.key.at,
           fmt::format("a second pip section; it is joined to the one in line {}", pip_at_.line),
           "keep one: conda installs only the last");
    }
    pip_at_ = member.key.at;
    const std::size_t before = pip_items_.size();
    for (const YamlNode* item : TRY(list(member.value, "pip", "- requests"))) {
      TRY(add_pip_item(*item));
    }
    if (pip_items_.size() == before) {
      warn("conda-pip-empty", member.key.at, "the pip section is empty");
    }
    return {};
  }

  Status add_pip_item(const YamlNode& item) {
    if (item.is_mapping()) {
      return refuse(item.at, "a mapping stands where a line for pip should",
                    "put quotes around a text that holds ': '");
    }
    const std::string text = TRY(scalar(item, "a line for pip"));
    if (item.is_null()) {
      return refuse(item.at, "an item of the pip section is empty",
                    "remove the dash or write a requirement");
    }
    refuse_selector(item.at);
    // A block of several lines is that many lines of the file that conda writes for pip.
    const bool block = text.find('\n') != std::string::npos;
    int line = item.at.line;
    for (const std::string_view one : split_lines(text)) {
      line += block ? 1 : 0;
      pip_items_.push_back({std::string(one), {item.at.file, line, block ? 1 : item.at.column}});
    }
    return {};
  }

  Status read_pip_items() {
    if (pip_items_.empty()) {
      return {};
    }
    PipSection pip = TRY(parse_pip_items(pip_items_, file_, files_, diagnostics_));
    if (!pip.lines.empty()) {
      out_.pip = std::move(pip);
    }
    return {};
  }

  // ---- Shared ----

  // A hostile file earns no million of warnings.
  void warn(std::string rule, Location at, std::string message, std::string hint = "") {
    if (++warnings_ <= kMaxWarnings) {
      diagnostics_.warn(std::move(rule), std::move(at), std::move(message), std::move(hint));
    }
  }

  // The items of a list; none for null. `example` is an item as it should look.
  static Result<std::vector<const YamlNode*>> list(const YamlNode& value, std::string_view key,
                                                   std::string_view example) {
    std::vector<const YamlNode*> items;
    if (value.is_null()) {
      return items;
    }
    if (!value.is_sequence()) {
      return refuse(value.at, fmt::format("'{}' is a list, not {}", key, value.kind_name()),
                    fmt::format("write each item on its own line: '{}'", example));
    }
    items.reserve(value.items.size());
    for (const YamlNode& item : value.items) {
      items.push_back(&item);
    }
    return items;
  }

  static Result<std::string> scalar(const YamlNode& value, std::string_view what) {
    if (!value.is_scalar()) {
      return refuse(value.at, fmt::format("{} is a text, not {}", what, value.kind_name()),
                    "check the indentation and the dashes");
    }
    return value.text;
  }

  std::string comment_selector(const Location& at) {
    return comments_ != nullptr ? comments_->of_line(at, diagnostics_) : std::string();
  }

  // Selectors count for packages only; elsewhere they would be lost in silence.
  void refuse_selector(const Location& at) {
    const std::string selector = comment_selector(at);
    if (!selector.empty()) {
      warn("conda-selector-ignored", at,
           fmt::format("the selector [{}] has no effect on this line", selector),
           "selectors work for conda packages; pip has markers: "
           "numpy; sys_platform == 'linux'");
    }
  }

  const std::string& file_;
  FileSource& files_;
  const ReadOptions& options_;
  SelectorComments* comments_;
  Diagnostics& diagnostics_;
  CondaYaml out_;
  std::vector<PipItem> pip_items_;
  Location pip_at_;
  int warnings_ = 0;
};

}  // namespace

Result<CondaYaml> parse_conda_yaml(std::string_view text, const std::string& file,
                                   FileSource& files, const ReadOptions& options,
                                   Diagnostics& diagnostics) {
  if (text.size() > kMaxTextBytes) {
    return refuse({file, 0, 0}, fmt::format("a conda environment file is larger than {} MiB",
                                            kMaxTextBytes >> 20U));
  }
  const YamlNode root = TRY(parse_yaml(text, file));
  SelectorComments comments(text);
  const Excerpts excerpts(text, file);
  Diagnostics found;
  auto result = Reader(file, files, options, &comments, found).read(root);
  excerpts.append(found, diagnostics);
  if (!result.has_value()) {
    excerpts.fill(result.error());
  }
  return result;
}

Result<CondaYaml> read_conda_node(const YamlNode& node, const std::string& file, FileSource& files,
                                  const ReadOptions& options, Diagnostics& diagnostics) {
  return Reader(file, files, options, nullptr, diagnostics).read(node);
}

}  // namespace cloche::definition
