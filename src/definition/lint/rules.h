// The rules of lint: a table for each subject, a check function for each rule.
//
// A check is silent where it cannot know: a base image of unknown content, a variable, a command
// whose effects nobody can tell from its name. Severities: an error fails or does nothing of what
// it says; a warning is probably not what was meant; a note is advice.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "definition/conda_yaml.h"
#include "definition/environment.h"
#include "definition/lint/dockerfile_view.h"
#include "definition/lint/lint.h"
#include "definition/lint/report.h"

namespace cloche::definition {

// What a rule about packages looks at: the parts of one environment, wherever they were written.
struct PackagesView {
  const CondaSection* conda = nullptr;
  const PipSection* pip = nullptr;
  const Environment* environment = nullptr;  // where there is one: base image, variables
};

// Each rule has one of the two checks, or none: then a parser or validate() finds it, and the rule
// is here for its documentation and its mend.
struct Rule {
  RuleInfo info;
  void (*dockerfile)(const DockerfileView& view, Report& report) = nullptr;
  void (*packages)(const PackagesView& view, Report& report) = nullptr;
  void (*mend)(Finding& finding, Report& report) = nullptr;
};

// By subject; all_rules() puts them together in the manual's order.
std::span<const Rule> base_rules();   // FROM: versions, ends of life, CUDA
std::span<const Rule> stage_rules();  // several stages and what is copied between them
std::span<const Rule> apt_rules();
std::span<const Rule> pip_run_rules();      // RUN pip
std::span<const Rule> conda_run_rules();    // RUN conda
std::span<const Rule> shell_rules();        // RUN in general
std::span<const Rule> start_rules();        // CMD, ENTRYPOINT, USER
std::span<const Rule> copy_rules();         // COPY, ADD
std::span<const Rule> instruction_rules();  // ENV, ARG, WORKDIR and the form of instructions
std::span<const Rule> secret_rules();
std::span<const Rule> package_rules();     // conda files and requirements
std::span<const Rule> definition_rules();  // those that validate() finds
std::span<const Rule> reader_rules();      // those that the readers of files find

const std::vector<Rule>& all_rules();
const Rule* find_rule(std::string_view name);

// docs/manual/lint.md.
std::string lint_manual();

}  // namespace cloche::definition
