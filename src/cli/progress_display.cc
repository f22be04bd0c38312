#include "cli/progress_display.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "cli/messages.h"
#include "core/diagnostic.h"
#include "core/text.h"
#include "io/system.h"

namespace cloche::cli {
namespace {

constexpr std::int64_t kRedrawMs = 100;
constexpr std::int64_t kUnnoticedMs = 200;  // what ends sooner is not drawn: no flicker
constexpr std::int64_t kTellMs = 3000;
constexpr std::int64_t kTellJsonMs = 1000;
constexpr std::int64_t kRateMs = 2000;
constexpr std::int64_t kLivelyMs = 1500;  // an item of which nothing was heard for longer is over
constexpr std::size_t kMostItems = 32;    // that are remembered of an activity
constexpr std::size_t kMostItemLines = 4;
constexpr std::size_t kBarWidth = 20;
constexpr std::size_t kWidthForBar = 60;

std::string amount_text(std::uint64_t amount, Progress::Unit unit) {
  return unit == Progress::Unit::kBytes ? bytes_text(amount) : std::to_string(amount);
}

std::string seconds_text(std::int64_t ms) {
  const std::int64_t seconds = ms / 1000;
  return seconds < 60 ? fmt::format("{}.{} s", seconds, ms % 1000 / 100)
                      : fmt::format("{} min {} s", seconds / 60, seconds % 60);
}

// "12 s left", where it can be said.
std::string left_text(std::uint64_t done, std::uint64_t total, std::uint64_t rate) {
  if (total <= done || rate == 0) {
    return "";
  }
  const std::uint64_t seconds = (total - done + rate - 1) / rate;
  return seconds < 60 ? fmt::format("{} s left", seconds)
                      : fmt::format("{} min {} s left", seconds / 60, seconds % 60);
}

std::uint64_t percent(std::uint64_t done, std::uint64_t total) {
  const auto share = static_cast<double>(done) / static_cast<double>(total);
  return static_cast<std::uint64_t>(std::min(share, 1.0) * 100);
}

std::string bar(std::uint64_t done, std::uint64_t total) {
  const std::size_t full = percent(done, total) * kBarWidth / 100;
  return fmt::format("[{}{}]", std::string(full, '#'), std::string(kBarWidth - full, '.'));
}

std::string_view unit_word(Progress::Unit unit) {
  switch (unit) {
    case Progress::Unit::kBytes:
      return "bytes";
    case Progress::Unit::kItems:
      return "items";
    case Progress::Unit::kNone:
      break;
  }
  return "";
}

// As much of it as has room; whole characters only.
std::string cut(std::string_view text, std::size_t width) {
  std::size_t end = text.size();
  while (end > 0 &&
         (display_width(text.substr(0, end)) > width || !is_valid_utf8(text.substr(0, end)))) {
    --end;
  }
  return std::string(text.substr(0, end));
}

}  // namespace

ProgressForm progress_form(Context& context) {
  if (context.json()) {
    return ProgressForm::kJson;
  }
  const bool terminal = context.terminal().err_style().width > 0;
  const bool moves = io::environment_variable("TERM") != "dumb";
  return terminal && moves ? ProgressForm::kDrawn : ProgressForm::kLines;
}

void ProgressDisplay::begin(std::string_view activity, std::uint64_t total, Unit unit) {
  const std::scoped_lock guard(mutex_);
  Activity& one = find(activity);
  one.total = std::max(one.total, total);
  one.unit = unit;
  show(one);
}

void ProgressDisplay::advance(std::string_view activity, std::uint64_t more,
                              std::string_view item) {
  const std::scoped_lock guard(mutex_);
  Activity& one = find(activity);
  one.done += more;
  if (one.total != 0) {
    one.total = std::max(one.total, one.done);
  }
  one.item = printable(item);
  mark(one, clock_.now_ms());
  mark_item(one, more, clock_.now_ms());
  show(one);
}

void ProgressDisplay::end(std::string_view activity) {
  const std::scoped_lock guard(mutex_);
  const auto found = std::ranges::find(activities_, activity, &Activity::name);
  if (found == activities_.end()) {
    return;
  }
  if (form_ != ProgressForm::kDrawn) {
    tell(*found, true);
  }
  activities_.erase(found);
  if (form_ == ProgressForm::kDrawn) {
    draw(true);
  }
}

void ProgressDisplay::note(std::string_view text) {
  const std::scoped_lock guard(mutex_);
  if (form_ == ProgressForm::kJson) {
    terminal_.err(diagnostic_record({.severity = Severity::kNote,
                                     .rule = "",
                                     .message = std::string(text),
                                     .hint = "",
                                     .at = {},
                                     .excerpt = ""})
                      .dump() +
                  "\n");
    return;
  }
  erase();
  terminal_.err(printable(text) + "\n");
}

void ProgressDisplay::clear() {
  const std::scoped_lock guard(mutex_);
  erase();
}

ProgressDisplay::Activity& ProgressDisplay::find(std::string_view name) {
  const auto found = std::ranges::find(activities_, name, &Activity::name);
  if (found != activities_.end()) {
    return *found;
  }
  const std::int64_t now = clock_.now_ms();
  Activity fresh;
  fresh.name = name;
  fresh.began_ms = fresh.told_ms = fresh.older_ms = fresh.newer_ms = now;
  activities_.push_back(std::move(fresh));
  return activities_.back();
}

void ProgressDisplay::mark(Activity& activity, std::int64_t now) {
  if (now - activity.newer_ms >= kRateMs) {
    activity.older_ms = activity.newer_ms;
    activity.older_done = activity.newer_done;
    activity.newer_ms = now;
    activity.newer_done = activity.done;
  }
}

void ProgressDisplay::mark_item(Activity& activity, std::uint64_t more, std::int64_t now) {
  if (activity.item.empty()) {
    return;
  }
  auto found = std::ranges::find(activity.items, activity.item, &Item::name);
  if (found == activity.items.end() && activity.items.size() == kMostItems) {
    found = std::ranges::min_element(activity.items, {}, &Item::at_ms);
    *found = {.name = activity.item, .done = 0, .began_ms = now, .at_ms = now};
  } else if (found == activity.items.end()) {
    activity.items.push_back({.name = activity.item, .done = 0, .began_ms = now, .at_ms = now});
    found = std::prev(activity.items.end());
  }
  found->done += more;
  found->at_ms = now;
}

std::uint64_t ProgressDisplay::rate(const Activity& activity) const {
  const std::int64_t elapsed = clock_.now_ms() - activity.older_ms;
  return elapsed <= 0
             ? 0
             : (activity.done - activity.older_done) * 1000 / static_cast<std::uint64_t>(elapsed);
}

void ProgressDisplay::show(Activity& activity) {
  if (form_ == ProgressForm::kDrawn) {
    draw(false);
  } else {
    tell(activity, false);
  }
}

// ---- lines

void ProgressDisplay::tell(Activity& activity, bool ended) {
  const std::int64_t now = clock_.now_ms();
  const bool json = form_ == ProgressForm::kJson;
  const bool due = now - activity.told_ms >= (json ? kTellJsonMs : kTellMs);
  const bool last_word = ended && (json || activity.told);
  if (!due && !last_word) {
    return;
  }
  activity.told = true;
  activity.told_ms = now;
  terminal_.err(json ? json_line(activity, ended) : told_line(activity, ended));
}

// "downloading: 12.3 MB of 27.0 MB (45%), 3.1 MB/s: numpy-1.26.4-py311h64a7726_0.conda"
std::string ProgressDisplay::told_line(const Activity& activity, bool ended) const {
  std::string out = printable(activity.name) + ":";
  if (activity.unit != Unit::kNone) {
    out += " " + amount_text(activity.done, activity.unit);
    if (activity.total != 0 && !ended) {
      out += fmt::format(" of {} ({}%)", amount_text(activity.total, activity.unit),
                         percent(activity.done, activity.total));
    }
  }
  const std::int64_t elapsed = clock_.now_ms() - activity.began_ms;
  if (ended) {
    return fmt::format("{} done in {}\n", out, seconds_text(elapsed));
  }
  if (activity.unit == Unit::kBytes) {
    out += fmt::format(", {}/s", bytes_text(rate(activity)));
  } else if (activity.unit == Unit::kNone) {
    out += " " + seconds_text(elapsed);
  }
  return out + (activity.item.empty() ? "\n" : ": " + activity.item + "\n");
}

std::string ProgressDisplay::json_line(const Activity& activity, bool ended) const {
  Json record;
  record.set("progress", activity.name)
      .set("done", static_cast<std::int64_t>(activity.done))
      .set("total", activity.total == 0 ? Json() : Json(static_cast<std::int64_t>(activity.total)))
      .set("unit", text_or_null(unit_word(activity.unit)))
      .set("item", text_or_null(activity.item))
      .set("elapsed_ms", clock_.now_ms() - activity.began_ms)
      .set("ended", ended);
  return record.dump() + "\n";
}

// ---- drawing

void ProgressDisplay::erase() {
  if (drawn_lines_ > 0) {
    terminal_.err(fmt::format("\x1b[{}A\r\x1b[J", drawn_lines_));  // up, and clear to the end
    drawn_lines_ = 0;
  }
}

void ProgressDisplay::draw(bool now) {
  const std::int64_t time = clock_.now_ms();
  if (!now && time - drawn_ms_ < kRedrawMs && time >= drawn_ms_) {
    return;
  }
  drawn_ms_ = time;
  const Style style = terminal_.err_style();
  std::size_t name_width = 0;
  for (const Activity& one : activities_) {
    name_width = std::max(name_width, display_width(printable(one.name)));
  }
  std::string text;
  std::size_t count = 0;
  for (const Activity& one : activities_) {
    if (drawn_lines_ > 0 || time - one.began_ms >= kUnnoticedMs) {
      text += drawn_line(one, name_width, style) + "\n";
      ++count;
      for (const Item* item : lively(one, time)) {
        text += item_line(*item, style) + "\n";
        ++count;
      }
    }
  }
  erase();
  if (count > 0) {
    terminal_.err(text);
    drawn_lines_ = count;
  }
}

// What is worked on side by side; of one thing alone the activity's own line tells.
std::vector<const ProgressDisplay::Item*> ProgressDisplay::lively(const Activity& activity,
                                                                  std::int64_t now) const {
  std::vector<const Item*> out;
  if (form_ != ProgressForm::kDrawn || activity.unit != Unit::kBytes) {
    return out;
  }
  for (const Item& item : activity.items) {
    if (now - item.at_ms < kLivelyMs) {
      out.push_back(&item);
    }
  }
  std::ranges::stable_sort(out, std::ranges::greater(), &Item::at_ms);
  out.resize(std::min(out.size(), kMostItemLines));
  // Those that began at once stay in the order in which they were told, which is that of memory.
  std::ranges::sort(out, {}, [](const Item* item) { return std::pair(item->began_ms, item); });
  return out.size() < 2 ? std::vector<const Item*>() : out;
}

// "  numpy-1.26.4-py311h64a7726_0.conda  3.1 MB  1.2 MB/s"
std::string ProgressDisplay::item_line(const Item& item, const Style& style) const {
  const std::size_t width = static_cast<std::size_t>(std::max(style.width, 2)) - 1;
  std::string text = fmt::format("  {}  {}", item.name, bytes_text(item.done));
  if (const std::int64_t elapsed = clock_.now_ms() - item.began_ms; elapsed > 0) {
    const std::uint64_t rate = item.done * 1000 / static_cast<std::uint64_t>(elapsed);
    text += fmt::format("  {}/s", bytes_text(rate));
  }
  return cut(text, width);
}

std::string ProgressDisplay::drawn_line(const Activity& activity, std::size_t name_width,
                                        const Style& style) const {
  const std::size_t width = static_cast<std::size_t>(std::max(style.width, 2)) - 1;
  const std::string name = printable(activity.name);
  const std::string gap(name_width - display_width(name), ' ');
  std::string rest;
  if (activity.total != 0) {
    if (width >= kWidthForBar) {
      rest += "  " + bar(activity.done, activity.total);
    }
    rest += fmt::format("  {:>3}%", percent(activity.done, activity.total));
  }
  if (activity.unit == Unit::kNone) {
    rest += "  " + seconds_text(clock_.now_ms() - activity.began_ms);
  } else {
    rest += "  " + amount_text(activity.done, activity.unit);
    rest += activity.total == 0 ? "" : " of " + amount_text(activity.total, activity.unit);
  }
  if (activity.unit == Unit::kBytes) {
    const std::uint64_t now = rate(activity);
    const std::string remaining = left_text(activity.done, activity.total, now);
    rest += fmt::format("  {}/s{}{}", bytes_text(now), remaining.empty() ? "" : "  ", remaining);
  }
  const bool alone = lively(activity, clock_.now_ms()).empty();
  rest += activity.item.empty() || !alone ? "" : "  " + activity.item;
  const std::string shown_name = cut(name, width);
  const std::size_t left = width - display_width(shown_name);
  return colored(shown_name, "1", style) + cut(gap + rest, left);
}

}  // namespace cloche::cli
