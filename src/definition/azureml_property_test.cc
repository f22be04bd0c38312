// Whatever valid environment is written as Azure ML v2 or v1 reads back the same.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "definition/azureml_v1.h"
#include "definition/azureml_v2.h"
#include "definition/fingerprint.h"
#include "definition/testing.h"

namespace cloche::definition {
namespace {

// As a reader makes it: a section without packages says nothing, and is not written everywhere.
Environment normal(Environment environment) {
  Definition& definition = environment.definition;
  if (definition.pip && definition.pip->lines.empty()) {
    definition.pip.reset();
  }
  if (definition.conda) {  // a channel's first place counts
    std::vector<Line> channels;
    for (const Line& line : definition.conda->channels) {
      if (std::ranges::find(channels, line.text, &Line::text) == channels.end()) {
        channels.push_back(line);
      }
    }
    definition.conda->channels = std::move(channels);
  }
  if (definition.apt && definition.apt->packages.empty()) {
    definition.apt.reset();
  }
  return without_places(std::move(environment));
}

RC_GTEST_PROP(WriteAzuremlV2Property, ReadsBackTheSame, ()) {
  const Environment environment = normal(*valid_environment());
  RC_PRE(std::holds_alternative<ImageBase>(environment.definition.base));
  MemoryFiles files;
  for (const auto& [name, content] : write_azureml_v2(environment, "env.yml")) {
    files.add("dir/" + name, content);
  }
  Diagnostics diagnostics;
  const auto text = files.read("dir/env.yml", kMaxTextBytes);
  RC_ASSERT(text.has_value());
  const auto again = parse_azureml_v2(*text, "dir/env.yml", files, {}, diagnostics);
  RC_LOG() << *text << (again.has_value() ? "" : again.error().to_string());
  RC_ASSERT(again.has_value());
  RC_ASSERT(normal(*again) == environment);
  RC_ASSERT(fingerprint(again->definition) == fingerprint(environment.definition));
}

RC_GTEST_PROP(WriteAzuremlV1Property, ReadsBackTheSame, ()) {
  Environment environment = normal(*valid_environment());
  Definition& definition = environment.definition;
  RC_PRE(!std::holds_alternative<BuildContextBase>(definition.base));
  RC_PRE(!definition.pip || definition.conda);  // else v1 adds python and pip
  definition.apt.reset();
  definition.inference.reset();
  environment.description.clear();
  environment.tags.clear();
  environment.properties.clear();
  const auto written = write_azureml_v1(environment);
  RC_ASSERT(written.has_value());
  MemoryFiles files;
  for (const auto& [name, content] : *written) {
    files.add("dir/" + name, content);
  }
  Diagnostics diagnostics;
  auto again = load_azureml_v1("dir", files, {}, diagnostics);
  RC_ASSERT(again.has_value());
  RC_ASSERT(*write_azureml_v1(*again) == *written);
  again->definition.azureml_v1 = {};
  RC_ASSERT(normal(*again) == environment);
}

}  // namespace
}  // namespace cloche::definition
