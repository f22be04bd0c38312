// Lines: what /proc/driver/nvidia/version says, CUDA_VERSION, a package of the image, one of its
// specs; the rest is NVIDIA_REQUIRE_CUDA. Only a driver that is known and too old is refused, in a
// message that a terminal can show.
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/check.h"
#include "core/text.h"
#include "runtime/cuda.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::array<std::string, 4> lines;
  for (std::string& line : lines) {
    const std::size_t end = rest.find('\n');
    line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  const auto& [proc, version, package, spec] = lines;
  const runtime::CdiEdits edits{.mounts = {{.host_path = "/usr/lib/libcuda.so." + version}}};
  const std::string driver = runtime::nvidia_driver(proc, edits);
  CHECK(driver.empty() || (driver.front() >= '0' && driver.front() <= '9'));
  CHECK(runtime::nvidia_driver(proc, {}).find_first_not_of("0123456789.") == std::string::npos);
  const runtime::CudaNeeds needs{.packages = {package}, .specs = {spec}};
  std::map<std::string, std::string> variables = {{"CUDA_VERSION", version},
                                                  {"NVIDIA_REQUIRE_CUDA", std::string(rest)}};
  for (const std::string& one : {driver, std::string("470.57.02"), proc}) {
    const Status checked = runtime::check_cuda(needs, variables, one);
    if (!checked.has_value()) {
      CHECK(!runtime::highest_cuda(one).empty());
      CHECK(checked.error().kind == ErrorKind::kUnsupported && !checked.error().hint.empty());
      CHECK(printable(checked.error().message) == checked.error().message);
    }
  }
  CHECK(runtime::check_cuda(needs, variables, "9999.1").has_value());
  variables["NVIDIA_DISABLE_REQUIRE"] = "1";
  CHECK(runtime::check_cuda(needs, variables, "470.57.02").has_value());
  return 0;
}
