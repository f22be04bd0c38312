#include "runtime/exit_status.h"

namespace cloche::runtime {

std::string ExitStatus::reason() const {
  if (out_of_memory) {
    return "the memory limit was reached: the kernel killed a process";
  }
  if (out_of_pids) {
    return "the limit on processes was reached: one could not be started";
  }
  return "";
}

Json ExitStatus::to_json() const {
  return Json::object()
      .set("code", code)
      .set("signal", signal)
      .set("out_of_memory", out_of_memory)
      .set("out_of_pids", out_of_pids)
      .set("peak_memory_bytes", static_cast<std::int64_t>(peak_memory_bytes))
      .set("cpu_user_ms", static_cast<std::int64_t>(cpu_user_ms))
      .set("cpu_system_ms", static_cast<std::int64_t>(cpu_system_ms));
}

Result<ExitStatus> ExitStatus::from_json(const Json& json) {
  for (const char* number :
       {"code", "signal", "peak_memory_bytes", "cpu_user_ms", "cpu_system_ms"}) {
    if (!json[number].is_integer() || json[number].as_integer() < 0) {
      return fail(ErrorKind::kCorrupt, "the record of a container's end has no {}", number);
    }
  }
  if (!json["out_of_memory"].is_bool() || !json["out_of_pids"].is_bool()) {
    return fail(ErrorKind::kCorrupt, "the record of a container's end says nothing of its limits");
  }
  return ExitStatus{
      .code = static_cast<int>(json["code"].as_integer()),
      .signal = static_cast<int>(json["signal"].as_integer()),
      .out_of_memory = json["out_of_memory"].as_bool(),
      .out_of_pids = json["out_of_pids"].as_bool(),
      .peak_memory_bytes = static_cast<std::uint64_t>(json["peak_memory_bytes"].as_integer()),
      .cpu_user_ms = static_cast<std::uint64_t>(json["cpu_user_ms"].as_integer()),
      .cpu_system_ms = static_cast<std::uint64_t>(json["cpu_system_ms"].as_integer())};
}

}  // namespace cloche::runtime
