#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/testing.h"
#include "definition/azureml_v2.h"
#include "definition/testing.h"

// What parses is written, and then parses to the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche;              // NOLINT: a fuzz target is one function
  using namespace cloche::definition;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  MemoryFiles files;
  files.add("conda.yml", "dependencies: [python=3.11, {pip: [numpy]}]\n");
  files.add("requirements.txt", "pandas==2.2.2\n");
  files.add("apt.txt", "git\n");
  files.add("context/Dockerfile", "FROM python:3.11\n");
  Diagnostics diagnostics;
  const auto environment = parse_azureml_v2(text, "env.yml", files, {}, diagnostics);
  if (!environment.has_value()) {
    static_cast<void>(environment.error().to_string());
    return 0;
  }
  const auto* context = std::get_if<BuildContextBase>(&environment->definition.base);
  if (context != nullptr && context->uri.empty()) {
    return 0;  // its files stay where they are
  }
  MemoryFiles written;
  for (const auto& [name, content] : write_azureml_v2(*environment, "main.yml")) {
    written.add(name, content);
  }
  const auto main_text = written.read("main.yml", SIZE_MAX);
  const auto again = parse_azureml_v2(*main_text, "main.yml", written, {}, diagnostics);
  if (!again.has_value() || without_places(*again) != without_places(*environment)) {
    std::abort();
  }
  return 0;
}
