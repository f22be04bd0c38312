// Rules that validate() and lint itself find: here for their documentation, and for mends.
#include <array>
#include <string>

#include "core/text.h"
#include "definition/lint/rules.h"

namespace cloche::definition {
namespace {

// Writes "- pip" above "- pip:", where that stands on a line of its own.
void list_pip(Finding& finding, Report& report) {
  const SourceFile& file = report.sources().get(finding.diagnostic.at.file);
  for (int number = finding.diagnostic.at.line; number > 0; --number) {
    const std::string_view line = file.line(number);
    const std::string_view item = trim(line);
    if (!item.starts_with('-')) {
      continue;
    }
    const std::string_view key = trim(item.substr(1));
    if (key.starts_with("pip") && trim(key.substr(3)).starts_with(':')) {
      const std::size_t indent = line.find('-');
      const std::size_t begin = file.offset(number, 1);
      const bool crlf = file.text().substr(begin + line.size(), 1) == "\r";
      if (trim(trim(key.substr(3)).substr(1)).empty() &&
          line.find('\t') == std::string_view::npos) {
        report.insert(finding, begin, std::string(indent, ' ') + "- pip" + (crlf ? "\r\n" : "\n"));
      }
      return;
    }
  }
}

constexpr std::string_view kCondaGood =
    "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.12\n  - pip=24.3\n  - pip:\n "
    "   "
    "  - gradio==5.6.0\n";

constexpr std::array<Rule, 13> kRules = {{
    {.info = {"syntax", Severity::kError, "a file that cannot be read",
              "Nothing can be made from it, and no other rule can look at it.",
              "FROM debian:12\nRUNN apt-get update\n", "FROM debian:12\n"}},
    {.info =
         {"pip-not-listed", Severity::kWarning,
          "pip packages without pip among the conda dependencies",
          "conda then adds a pip of its own choice, with a warning; older versions use one outside "
          "of the environment. The fix adds it. Azure warns of it too.",
          "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.12\n  - pip:\n      - "
          "gradio==5.6.0\n",
          kCondaGood, Format::kCondaYaml},
     .mend = list_pip},
    {.info = {"pip-unpinned", Severity::kWarning, "pip without a version",
              "Its resolver changes from version to version: the same requirements give other "
              "packages. "
              "Azure warns of it too.",
              "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.12\n  - pip\n  - "
              "pip:\n  "
              "    - gradio==5.6.0\n",
              kCondaGood, Format::kCondaYaml}},
    {.info = {"several-pythons", Severity::kWarning, "python named more than once",
              "Both constraints hold, which is rarely meant; Azure warns of it too.",
              "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.12\n  - "
              "python>=3.11,<4\n",
              "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.12\n",
              Format::kCondaYaml}},
    {.info =
         {"no-python", Severity::kWarning, "a conda part without python",
          "Whatever the packages pull in is taken: the newest Python next month, or none.",
          "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - numpy=2.1\n",
          "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.12\n  - numpy=2.1\n",
          Format::kCondaYaml}},
    {.info = {"no-channels", Severity::kWarning, "a conda part without channels",
              "It means another thing on each machine: what its conda has configured.", "", "",
              Format::kCondaYaml}},
    {.info = {"dockerfile-too-large", Severity::kWarning, "a Dockerfile over 100 KB",
              "Azure refuses it. Move scripts into files of the build context.", "", ""}},
    {.info = {"reserved-name", Severity::kError, "a name with a reserved prefix",
              "AzureML-, Microsoft and Cloche- are for curated environments.",
              "name: AzureML-mine\nimage: python:3.12\n", "name: mine\nimage: python:3.12\n",
              Format::kAzuremlV2}},
    {.info =
         {"invalid-name", Severity::kError, "a name with characters that names cannot have",
          "Letters, digits, - and _, at most 255 of them, the first a letter or a digit: Azure's "
          "rule.",
          "", "", Format::kAzuremlV2}},
    {.info = {"invalid-version", Severity::kError,
              "a version with characters that versions cannot have",
              "Letters, digits and - _ . +, the first a letter or a digit.", "", "",
              Format::kAzuremlV2}},
    {.info = {"invalid-image", Severity::kError, "an image that is no reference",
              "No container registry can have an image of such a name.", "", "",
              Format::kAzuremlV2}},
    {.info = {"not-combinable", Severity::kError,
              "packages on top of a Dockerfile or build context",
              "As in Azure, packages are added to an image only; a Dockerfile installs its own.",
              "", "", Format::kAzuremlV2}},
    {.info = {"unknown-ignore", Severity::kWarning, "an ignore comment that names no rule",
              "It silences nothing: most likely a typo.",
              "# cloche: ignore=runs-as-rot\nFROM python:3.12\n",
              "# cloche: ignore=runs-as-root\nFROM python:3.12\n"}},
}};

}  // namespace

std::span<const Rule> definition_rules() { return kRules; }

}  // namespace cloche::definition
