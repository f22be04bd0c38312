#include "definition/lint/rules.h"

#include <algorithm>

namespace cloche::definition {

const std::vector<Rule>& all_rules() {
  static const std::vector<Rule> kAll = [] {
    std::vector<Rule> all;
    for (const auto& group :
         {definition_rules(), base_rules(), stage_rules(), copy_rules(), apt_rules(),
          pip_run_rules(), package_rules(), conda_run_rules(), shell_rules(), secret_rules(),
          start_rules(), instruction_rules(), reader_rules()}) {
      all.insert(all.end(), group.begin(), group.end());
    }
    return all;
  }();
  return kAll;
}

const Rule* find_rule(std::string_view name) {
  const auto& all = all_rules();
  const auto found = std::ranges::find(all, name, [](const Rule& rule) { return rule.info.name; });
  return found == all.end() ? nullptr : &*found;
}

const std::vector<RuleInfo>& lint_rules() {
  static const std::vector<RuleInfo> kInfos = [] {
    std::vector<RuleInfo> infos;
    for (const Rule& rule : all_rules()) {
      infos.push_back(rule.info);
    }
    return infos;
  }();
  return kInfos;
}

}  // namespace cloche::definition
