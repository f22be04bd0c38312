// The same definition written by different people, in every format: two writings have one
// fingerprint, and a writing with another package never has it.
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "definition/fingerprint.h"
#include "definition/load.h"

namespace cloche::definition {
namespace {

using Texts = std::vector<std::string>;

int dice(int sides) { return *rc::gen::inRange(0, sides); }

template <class T>
std::vector<T> shuffled(std::vector<T> list) {
  for (std::size_t i = list.size(); i > 1; --i) {
    std::swap(list[i - 1], list[static_cast<std::size_t>(dice(static_cast<int>(i)))]);
  }
  return list;
}

// Any order, none twice.
Texts some_of(const Texts& all, std::size_t least) {
  Texts list = shuffled(all);
  list.resize(least + static_cast<std::size_t>(dice(static_cast<int>(all.size() - least) + 1)));
  return list;
}

// What one person means; every writing of it is equal.
struct Meaning {
  std::string image;
  Texts channels;
  Texts conda;
  Texts pip;
  Texts apt;
};

Meaning any_meaning() {
  return {*rc::gen::element<std::string>("python:3.11-slim", "ubuntu:22.04",
                                         "a.org:5000/b@sha256:" + std::string(64, 'b')),
          some_of({"conda-forge", "defaults", "pytorch", "https://example.org/channel"}, 1),
          some_of({"python=3.11", "numpy>=1.26,<2", "pip", "scipy==1.13", "conda-forge::zlib",
                   "r-base"},
                  1),
          some_of({"torch==2.3.1", "tqdm", "uvicorn[standard]~=0.29", "pandas!=2.0,>=1.5", "--pre",
                   "tomli>=1 ; python_version < \"3.11\""},
                  1),
          some_of({"git", "curl=7.88.1-10", "libgomp1:amd64"}, 1)};
}

// One thing that must show: an item added, dropped, changed, or two swapped.
void disturb(Texts& list, const std::string& added,
             const std::function<std::string(std::string)>& pin) {
  const int way = dice(4);
  const auto at = static_cast<std::size_t>(dice(static_cast<int>(list.size())));
  if (way == 0 && list.size() > 1) {
    const std::size_t other = (at + 1) % list.size();
    std::swap(list[at], list[other]);
  } else if (way == 1 && list.size() > 1) {
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
  } else if (way == 2) {
    list[at] = pin(list[at]);
  } else {
    list.insert(list.begin() + static_cast<std::ptrdiff_t>(at), added);
  }
}

// ---- YAML in many hands

std::string quoted(const std::string& text) {
  const bool plain = text.find_first_of("\"#[]{}!") == std::string::npos && text[0] != '-' &&
                     text.find(": ") == std::string::npos && text[0] != '>';
  switch (dice(plain ? 3 : 2)) {
    case 0:
      return "'" + text + "'";
    case 1: {
      std::string out = "\"";
      for (const char c : text) {
        out += c == '"' ? "\\\"" : std::string(1, c);
      }
      return out + "\"";
    }
    default:
      return text;
  }
}

std::string comment() {
  return *rc::gen::element<std::string>("", "", "   # pinned by hand", " # numpy==9");
}

std::string blank_lines() {
  return *rc::gen::element<std::string>("", "", "\n", "# a line for readers\n", "   \n");
}

std::string yaml_list(const Texts& items, const std::string& indent) {
  std::string out;
  if (dice(4) == 0) {
    out = " [";
    for (const std::string& item : items) {
      out += (out.ends_with('[') ? "" : ", ") + ("'" + item + "'");
    }
    return out + "]\n";
  }
  out = "\n";
  for (const std::string& item : items) {
    out += blank_lines() + indent + "- " + quoted(item) + comment() + "\n";
  }
  return out;
}

std::string line_ends(std::string text) {
  if (dice(3) == 0) {
    std::string out;
    for (const char c : text) {
      out += c == '\n' ? "\r\n" : std::string(1, c);
    }
    text = std::move(out);
  }
  if (dice(4) == 0 && text.ends_with('\n')) {
    text.pop_back();
  }
  return text;
}

std::string joined(const Texts& parts) {
  std::string out;
  for (const std::string& part : parts) {
    out += part;
  }
  return line_ends(out);
}

// `pip` at the end of the dependencies: among them, its place means nothing.
std::string dependencies(const Meaning& meaning) {
  std::string out = "dependencies:\n";
  const int pip_at = dice(static_cast<int>(meaning.conda.size()) + 1);
  for (int i = 0; i <= static_cast<int>(meaning.conda.size()); ++i) {
    if (i == pip_at) {
      out += "  - pip:\n";
      for (const std::string& line : meaning.pip) {
        out += blank_lines() + "      - " + quoted(line) + comment() + "\n";
      }
    }
    if (i < static_cast<int>(meaning.conda.size())) {
      out += blank_lines() + "  - " + quoted(meaning.conda[static_cast<std::size_t>(i)]) +
             comment() + "\n";
    }
  }
  return out;
}

std::string conda_text(const Meaning& meaning) {
  Texts parts = {"channels:" + yaml_list(meaning.channels, "  "), dependencies(meaning)};
  if (dice(2) == 0) {
    parts.push_back("name: " + *rc::gen::element<std::string>("one", "two", "'3'") + comment() +
                    "\n");
  }
  if (dice(3) == 0) {
    parts.push_back("prefix: /home/me/env\n");
  }
  if (dice(3) == 0) {
    parts.push_back("variables:\n  A: " + std::to_string(dice(3)) + "\n");
  }
  return joined(shuffled(parts));
}

// ---- requirements files

std::string requirements_text(const Texts& lines) {
  std::string out;
  for (std::string line : lines) {
    if (const std::size_t blank = line.find(' '); blank != std::string::npos && dice(2) == 0) {
      line.replace(blank, 1, *rc::gen::element<std::string>("   ", " \\\n  ", "\t"));
    }
    out += blank_lines() + *rc::gen::element<std::string>("", "  ") + line +
           *rc::gen::element<std::string>("", "  ", "  # why; not a marker") + "\n";
  }
  return line_ends(out);
}

// ---- Azure ML v2

struct Project {
  MemoryFiles files;
  std::string main;
};

std::string fingerprint_of(Project& project) {
  LoadRequest request;
  request.file = project.main;
  const auto loaded = load(request, project.files, ReadOptions());
  if (!loaded) {
    RC_LOG() << project.files.read(project.main, kMaxTextBytes).value_or("") << "\n"
             << loaded.error().to_string() << "\n";
    RC_FAIL("does not load");
  }
  return fingerprint(loaded->environment.definition);
}

Project v2_project(const Meaning& meaning) {
  Project project;
  project.main = "env.yml";
  project.files.add("conda.yml", conda_text(meaning));
  Texts parts = {"image: " + quoted(meaning.image) + comment() + "\n", "conda_file: conda.yml\n",
                 "apt:" + yaml_list(meaning.apt, "  ")};
  const Texts free = {
      "name: " + *rc::gen::element<std::string>("one", "\"two\"") + "\n",
      "version: " + *rc::gen::element<std::string>("1", "1.10", "'7'") + "\n",
      "description: >-\n  trains\n  things " + std::to_string(dice(5)) + "\n",
      "tags: {a: b, c: '" + std::to_string(dice(5)) + "'}\n",
      "environment_variables:\n  A: " + std::to_string(dice(5)) + "\n",
      "$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json\n"};
  for (const std::string& one : free) {
    if (dice(2) == 0) {
      parts.push_back(one);
    }
  }
  project.files.add(project.main, joined(shuffled(parts)));
  return project;
}

Project conda_project(const Meaning& meaning) {
  Project project;
  project.main = "environment.yml";
  project.files.add(project.main, conda_text(meaning));
  return project;
}

Project requirements_project(const Meaning& meaning) {
  Project project;
  project.main = "requirements.txt";
  project.files.add(project.main, requirements_text(meaning.pip));
  return project;
}

std::string pinned(const std::string& line) {
  return line == "--pre" ? "--no-index" : line.substr(0, line.find_first_of("=<>!~[; ")) + "==9.9";
}

RC_GTEST_PROP(FingerprintOfTexts, OfACondaFileDependsOnItsMeaningAlone, ()) {
  const Meaning meaning = any_meaning();
  Project one = conda_project(meaning);
  Project other = conda_project(meaning);
  RC_ASSERT(fingerprint_of(one) == fingerprint_of(other));
}

RC_GTEST_PROP(FingerprintOfTexts, OfACondaFileChangesWithEveryPackageAndChannel, ()) {
  const Meaning meaning = any_meaning();
  Meaning changed = meaning;
  switch (dice(3)) {
    case 0:
      disturb(changed.channels, "bioconda", [](const auto& text) { return text + "-2"; });
      break;
    case 1:
      disturb(changed.conda, "added=1", [](const auto& text) { return pinned(text); });
      break;
    default:
      disturb(changed.pip, "added==1", [](const auto& text) { return pinned(text); });
  }
  Project one = conda_project(meaning);
  Project other = conda_project(changed);
  RC_ASSERT(fingerprint_of(one) != fingerprint_of(other));
}

RC_GTEST_PROP(FingerprintOfTexts, OfRequirementsDependsOnTheirMeaningAlone, ()) {
  const Meaning meaning = any_meaning();
  Project one = requirements_project(meaning);
  Project other = requirements_project(meaning);
  RC_ASSERT(fingerprint_of(one) == fingerprint_of(other));
}

RC_GTEST_PROP(FingerprintOfTexts, OfRequirementsChangesWithEveryLine, ()) {
  const Meaning meaning = any_meaning();
  Meaning changed = meaning;
  disturb(changed.pip, "added==1", [](const auto& text) { return pinned(text); });
  Project one = requirements_project(meaning);
  Project other = requirements_project(changed);
  RC_ASSERT(fingerprint_of(one) != fingerprint_of(other));
}

RC_GTEST_PROP(FingerprintOfTexts, OfAzuremlV2DependsOnItsMeaningAlone, ()) {
  const Meaning meaning = any_meaning();
  Project one = v2_project(meaning);
  Project other = v2_project(meaning);
  RC_ASSERT(fingerprint_of(one) == fingerprint_of(other));
}

RC_GTEST_PROP(FingerprintOfTexts, OfAzuremlV2ChangesWithImageAndPackages, ()) {
  const Meaning meaning = any_meaning();
  Meaning changed = meaning;
  switch (dice(3)) {
    case 0:
      changed.image = "debian:12";
      break;
    case 1:
      disturb(changed.apt, "vim",
              [](const auto& text) { return text.substr(0, text.find_first_of("=:")) + "=9.9"; });
      break;
    default:
      disturb(changed.conda, "added=1", [](const auto& text) { return pinned(text); });
  }
  Project one = v2_project(meaning);
  Project other = v2_project(changed);
  RC_ASSERT(fingerprint_of(one) != fingerprint_of(other));
}

// ---- Dockerfiles

std::string keyword(const std::string& word) {
  std::string out;
  for (const char c : word) {
    out += dice(2) == 0 ? static_cast<char>(c | 0x20) : c;
  }
  return out;
}

std::string dockerfile_text(const Texts& steps) {
  std::string out = *rc::gen::element<std::string>("", "# syntax=docker/dockerfile:1\n", "\n\n");
  for (const std::string& step : steps) {
    const std::size_t blank = step.find(' ');
    out += blank_lines() + *rc::gen::element<std::string>("", "  ") +
           keyword(step.substr(0, blank)) +
           *rc::gen::element<std::string>(" ", "   ", " \\\n", " \\  \n# inside\n") +
           step.substr(blank + 1) + *rc::gen::element<std::string>("", "  ") + "\n";
  }
  return line_ends(out);
}

Texts any_steps() {
  Texts steps = some_of({"RUN pip install numpy==1.26", "ENV A=1 B=2", "USER nobody",
                         "CMD [\"python\"]", "WORKDIR /app", "LABEL a=b"},
                        1);
  steps.insert(steps.begin(), "FROM python:3.11");
  return steps;
}

Project dockerfile_project(const Texts& steps) {
  Project project;
  project.main = "Dockerfile";
  project.files.add(project.main, dockerfile_text(steps));
  return project;
}

RC_GTEST_PROP(FingerprintOfTexts, OfADockerfileDependsOnItsInstructionsAlone, ()) {
  const Texts steps = any_steps();
  Project one = dockerfile_project(steps);
  Project other = dockerfile_project(steps);
  RC_ASSERT(fingerprint_of(one) == fingerprint_of(other));
}

RC_GTEST_PROP(FingerprintOfTexts, OfADockerfileChangesWithEveryInstruction, ()) {
  const Texts steps = any_steps();
  Texts rest(steps.begin() + 1, steps.end());
  disturb(rest, "RUN added", [](const auto&) { return "RUN changed"; });
  rest.insert(rest.begin(), steps.front());
  Project one = dockerfile_project(steps);
  Project other = dockerfile_project(rest);
  RC_ASSERT(fingerprint_of(one) != fingerprint_of(other));
}

}  // namespace
}  // namespace cloche::definition
