// Progress as a person or a program sees it, on standard error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"
#include "cli/terminal.h"
#include "core/clock.h"
#include "core/progress.h"

namespace cloche::cli {

enum class ProgressForm {
  kDrawn,  // a line for each activity and for what it works on at once, drawn over itself: on a
           // terminal
  kLines,  // now and then a line: in a log
  kJson,   // now and then a JSON object a line: docs/manual/cli.md
};

// JSON with `--output json`; drawn where standard error is a terminal that can move its cursor.
ProgressForm progress_form(Context& context);

// Any thread may report. There is no thread of its own: it draws when something is reported, at
// most ten times a second, and shows nothing at all of what is done within a fraction of a second.
// Whoever else writes to standard error meanwhile calls clear() first.
class ProgressDisplay : public Progress {
 public:
  // Both outlive it.
  ProgressDisplay(Terminal& terminal, Clock& clock, ProgressForm form)
      : terminal_(terminal), clock_(clock), form_(form) {}
  ~ProgressDisplay() override { clear(); }

  void begin(std::string_view activity, std::uint64_t total, Unit unit) override;
  void advance(std::string_view activity, std::uint64_t more, std::string_view item) override;
  void end(std::string_view activity) override;
  void note(std::string_view text) override;

  // Takes away what is drawn; the next report draws it again.
  void clear();

 private:
  struct Item {
    std::string name;
    std::uint64_t done = 0;
    std::int64_t began_ms = 0;
    std::int64_t at_ms = 0;
  };
  struct Activity {
    std::string name;
    std::uint64_t done = 0;
    std::uint64_t total = 0;  // 0: not known
    Unit unit = Unit::kNone;
    std::string item = {};
    std::int64_t began_ms = 0;
    std::int64_t told_ms = 0;  // when a line was written last
    bool told = false;
    // The rate is that of the last seconds: since the older of two marks.
    std::int64_t older_ms = 0;
    std::uint64_t older_done = 0;
    std::int64_t newer_ms = 0;
    std::uint64_t newer_done = 0;
    std::vector<Item> items = {};  // that were worked on last
  };

  Activity& find(std::string_view name);
  void show(Activity& activity);
  void tell(Activity& activity, bool ended);
  void draw(bool now);
  void erase();
  std::string drawn_line(const Activity& activity, std::size_t name_width,
                         const Style& style) const;
  std::vector<const Item*> lively(const Activity& activity, std::int64_t now) const;
  std::string item_line(const Item& item, const Style& style) const;
  std::string told_line(const Activity& activity, bool ended) const;
  std::string json_line(const Activity& activity, bool ended) const;
  static void mark(Activity& activity, std::int64_t now);
  static void mark_item(Activity& activity, std::uint64_t more, std::int64_t now);
  std::uint64_t rate(const Activity& activity) const;  // units a second

  Terminal& terminal_;
  Clock& clock_;
  const ProgressForm form_;
  std::mutex mutex_;  // guards all below
  std::vector<Activity> activities_;
  std::size_t drawn_lines_ = 0;
  std::int64_t drawn_ms_ = 0;
};

}  // namespace cloche::cli
