#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/testing.h"
#include "definition/azureml_v1.h"
#include "definition/testing.h"

// What loads is saved, then loads to the same, and is saved to the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche;              // NOLINT: a fuzz target is one function
  using namespace cloche::definition;  // NOLINT
  MemoryFiles files;
  files.add("azureml_environment.json", std::string(reinterpret_cast<const char*>(data), size));
  Diagnostics diagnostics;
  auto environment = load_azureml_v1("", files, {}, diagnostics);
  if (!environment.has_value()) {
    static_cast<void>(environment.error().to_string());
    return 0;
  }
  const auto written = write_azureml_v1(*environment);
  if (!written.has_value()) {
    return 0;
  }
  MemoryFiles saved;
  for (const auto& [name, content] : *written) {
    saved.add(name, content);
  }
  auto again = load_azureml_v1("", saved, {}, diagnostics);
  if (!again.has_value()) {
    std::abort();
  }
  const auto written_again = write_azureml_v1(*again);
  if (!written_again.has_value() || *written_again != *written) {
    std::abort();
  }
  environment->definition.azureml_v1 = {};
  again->definition.azureml_v1 = {};
  if (without_places(*again) != without_places(*environment)) {
    std::abort();
  }
  return 0;
}
