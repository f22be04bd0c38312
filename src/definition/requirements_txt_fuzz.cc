#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.h"
#include "core/testing.h"
#include "definition/requirements_txt.h"

namespace {

using cloche::Diagnostics;
using cloche::MemoryFiles;
using cloche::Result;
using cloche::definition::parse_requirements_txt;
using cloche::definition::PipSection;

// Reads the text with files beside it that it may include, itself among them.
Result<PipSection> read(std::string_view text, MemoryFiles& files) {
  files.add("r", "a==1\n-c c").add("c", "b<2\n-r d/e").add("d/e", "-f w\n-r ../self");
  files.add("self", std::string(text));
  Diagnostics diagnostics;
  return parse_requirements_txt(text, "self", files, diagnostics);
}

}  // namespace

// What is read is the same after writing and reading again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  MemoryFiles files;
  const auto one = read({reinterpret_cast<const char*>(data), size}, files);
  if (!one.has_value()) {
    CHECK(!one.error().message.empty());
    return 0;
  }
  MemoryFiles written;
  for (const auto& [name, text] : write_constraint_files(*one)) {
    written.add(name, text);
  }
  Diagnostics diagnostics;
  const auto again =
      parse_requirements_txt(write_requirements_txt(*one), "self", written, diagnostics);
  CHECK(again.has_value() && again->lines.size() == one->lines.size());
  for (std::size_t i = 0; i < one->lines.size(); ++i) {
    CHECK(again->lines[i].kind == one->lines[i].kind && again->lines[i].text == one->lines[i].text);
  }
  return 0;
}
