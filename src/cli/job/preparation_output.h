// What a preparer writes, one JSON object a line, as it would show itself to a person.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "cli/context.h"
#include "cli/progress_display.h"
#include "core/error.h"
#include "core/json.h"
#include "io/system.h"
#include "jobs/follower.h"

namespace cloche::cli {

// Progress is drawn, warnings are said, an error is kept. With `--output json` records go on as
// they are. Whatever is none of those is left out.
class PreparationOutput : public jobs::FollowListener {
 public:
  explicit PreparationOutput(Context& context)  // outlives it
      : context_(context), display_(context.terminal(), clock_, progress_form(context)) {}

  Status event(const workspace::JobEvent& event) override;
  Status output(std::string_view bytes) override;

  void finish() { display_.clear(); }
  std::optional<Error> take_error() { return std::move(error_); }  // the last one

 private:
  void line(std::string_view text);
  void progress(const Json& record);

  Context& context_;
  io::SystemClock clock_;
  ProgressDisplay display_;
  std::string pending_;
  std::map<std::string, std::uint64_t> done_;  // of each activity
  std::optional<Error> error_;
};

}  // namespace cloche::cli
