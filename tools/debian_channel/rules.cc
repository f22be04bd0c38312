#include "debian_channel/rules.h"

#include <utility>

#include <re2/re2.h>
#include <re2/set.h>

#include "core/yaml.h"
#include "debian_channel/conda_naming.h"

namespace cloche::debian_channel {
namespace {

constexpr std::string_view kPythonPrefix = "python3-";

std::string with_python(std::string text, const std::string& python) {
  constexpr std::string_view kName = "{python}";
  for (std::size_t at = text.find(kName); at != std::string::npos; at = text.find(kName)) {
    text.replace(at, kName.size(), python);
  }
  return text;
}

Error wrong(const YamlNode& node, std::string_view what) {
  return fail(ErrorKind::kInvalid, "{}", what).with_location(node.at);
}

// The rules as they are read: every text with {python} replaced.
class Reader {
 public:
  Reader(const YamlNode& root, std::string suite, std::string python)
      : root_(root), suite_(std::move(suite)), python_(std::move(python)) {}

  Result<std::vector<std::string>> list(std::string_view key) const {
    const YamlNode* node = root_.find(key);
    return node == nullptr ? std::vector<std::string>() : TRY(texts(*node));
  }

  Result<std::map<std::string, std::string>> map(std::string_view key) const {
    std::map<std::string, std::string> out;
    if (const YamlNode* node = root_.find(key)) {
      for (const YamlNode::Member& member : node->members) {
        out[member.key.text] = with_python(member.value.text, python_);
      }
    }
    return out;
  }

  Result<std::map<std::string, std::vector<std::string>>> lists(std::string_view key) const {
    std::map<std::string, std::vector<std::string>> out;
    if (const YamlNode* node = root_.find(key)) {
      for (const YamlNode::Member& member : node->members) {
        out[member.key.text] = TRY(texts(member.value));
        if (out[member.key.text].empty()) {
          return wrong(member.key, "a package is made of at least one Debian package");
        }
      }
    }
    return out;
  }

  Result<std::vector<Edit>> edits(std::string_view key) const {
    std::vector<Edit> out;
    if (const YamlNode* node = root_.find(key)) {
      for (const YamlNode& one : node->items) {
        if (const YamlNode* suite = one.find("suite"); suite != nullptr && suite->text != suite_) {
          continue;
        }
        out.push_back({TRY(text(one, "package")), TRY(text(one, "files")), TRY(text(one, "text")),
                       TRY(text(one, "with"))});
      }
    }
    return out;
  }

  Result<std::vector<AddedLink>> links() const {
    std::vector<AddedLink> out;
    if (const YamlNode* node = root_.find("links")) {
      for (const YamlNode& one : node->items) {
        out.push_back(
            {TRY(text(one, "package")), TRY(text(one, "link")), TRY(text(one, "target"))});
      }
    }
    return out;
  }

 private:
  Result<std::vector<std::string>> texts(const YamlNode& node) const {
    if (!node.is_sequence()) {
      return wrong(node, "a list was expected");
    }
    std::vector<std::string> out;
    for (const YamlNode& item : node.items) {
      if (!item.is_scalar()) {
        return wrong(item, "a name was expected");
      }
      out.push_back(with_python(item.text, python_));
    }
    return out;
  }

  Result<std::string> text(const YamlNode& node, std::string_view key) const {
    const YamlNode* member = node.find(key);
    if (member == nullptr || !member->is_scalar()) {
      return wrong(node, "a key is missing: " + std::string(key));
    }
    return with_python(member->text, python_);
  }

  const YamlNode& root_;
  std::string suite_;
  std::string python_;
};

std::set<std::string> as_set(std::vector<std::string> list) { return {list.begin(), list.end()}; }

}  // namespace

struct Rules::Patterns {
  RE2::Set set{RE2::Options(RE2::Quiet), RE2::ANCHOR_BOTH};
};

Rules::Rules() : never_(std::make_unique<Patterns>()) {}
Rules::Rules(Rules&&) noexcept = default;
Rules& Rules::operator=(Rules&&) noexcept = default;
Rules::~Rules() = default;

Result<Rules> Rules::parse(std::string_view text, const std::string& file,
                           const std::string& suite) {
  const YamlNode root = TRY(parse_yaml(text, file));
  const YamlNode* suites = root.find("suites");
  const YamlNode* python = suites == nullptr ? nullptr : suites->find(suite);
  if (python == nullptr) {
    return fail(ErrorKind::kNotFound, "{} does not know the suite {}", file, suite);
  }
  Rules rules;
  rules.python = python->text;
  const Reader reader(root, suite, rules.python);
  rules.roots = TRY(reader.list("roots"));
  rules.packages = TRY(reader.lists("packages"));
  rules.always = as_set(TRY(reader.list("always")));
  rules.prefer = as_set(TRY(reader.list("prefer")));
  rules.instead = TRY(reader.map("instead"));
  rules.edits = TRY(reader.edits("edits"));
  rules.binary_edits = TRY(reader.edits("binary_edits"));
  rules.links = TRY(reader.links());
  rules.tar_bz2 = as_set(TRY(reader.list("tar_bz2")));
  for (const std::string& pattern : TRY(reader.list("never"))) {
    std::string error;
    if (rules.never_->set.Add(pattern, &error) < 0) {
      return fail(ErrorKind::kInvalid, "{}: the pattern {} is wrong: {}", file, pattern, error);
    }
  }
  rules.never_->set.Compile();
  for (const auto& [conda, debian] : rules.packages) {
    for (const std::string& one : debian) {
      rules.conda_of_[one] = conda;
    }
  }
  for (const Edit& edit : rules.binary_edits) {
    if (edit.text.size() != edit.replacement.size()) {
      return fail(ErrorKind::kInvalid, "{}: {} and {} are not equally long", file, edit.text,
                  edit.replacement);
    }
  }
  return rules;
}

bool Rules::never(std::string_view debian_name) const {
  return never_->set.Match(re2::StringPiece(debian_name.data(), debian_name.size()), nullptr);
}

std::string Rules::conda_package(const std::string& debian_name) const {
  if (const auto found = conda_of_.find(debian_name); found != conda_of_.end()) {
    return found->second;
  }
  const std::string_view name = debian_name;
  return conda_name(name.starts_with(kPythonPrefix) ? name.substr(kPythonPrefix.size()) : name);
}

std::vector<std::string> Rules::debian_packages(const std::string& conda_package) const {
  if (const auto found = packages.find(conda_package); found != packages.end()) {
    return found->second;
  }
  return {std::string(kPythonPrefix) + conda_package, conda_package};
}

bool matches_glob(std::string_view glob, std::string_view path) {
  std::size_t at = 0;  // in the glob
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  std::size_t i = 0;
  while (i < path.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      retry = i;
    } else if (at < glob.size() && glob[at] == path[i]) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++retry;
    } else {
      return false;
    }
  }
  while (at < glob.size() && glob[at] == '*') {
    ++at;
  }
  return at == glob.size();
}

}  // namespace cloche::debian_channel
