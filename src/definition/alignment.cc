#include "definition/alignment.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace cloche::definition {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// For each index of `before` the index of the same occurrence of its key in `after`, or kNone.
std::vector<std::size_t> match(const std::vector<std::string>& before,
                               const std::vector<std::string>& after) {
  std::unordered_map<std::string_view, std::vector<std::size_t>> places;
  for (std::size_t i = after.size(); i-- > 0;) {
    places[after[i]].push_back(i);  // the first occurrence ends up last
  }
  std::vector<std::size_t> matched(before.size(), kNone);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto found = places.find(before[i]);
    if (found != places.end() && !found->second.empty()) {
      matched[i] = found->second.back();
      found->second.pop_back();
    }
  }
  return matched;
}

// Which indices of `before` belong to a longest increasing subsequence of their matches: patience
// sorting, where tops[k] ends the best run of length k + 1.
std::vector<bool> stayed(const std::vector<std::size_t>& matched) {
  std::vector<std::size_t> tops;
  std::vector<std::size_t> previous(matched.size(), kNone);
  for (std::size_t i = 0; i < matched.size(); ++i) {
    if (matched[i] == kNone) {
      continue;
    }
    const auto place = std::ranges::lower_bound(tops, matched[i], {},
                                                [&](std::size_t top) { return matched[top]; });
    previous[i] = place == tops.begin() ? kNone : *(place - 1);
    if (place == tops.end()) {
      tops.push_back(i);
    } else {
      *place = i;
    }
  }
  std::vector<bool> out(matched.size(), false);
  for (std::size_t i = tops.empty() ? kNone : tops.back(); i != kNone; i = previous[i]) {
    out[i] = true;
  }
  return out;
}

}  // namespace

std::vector<Edit> align(const std::vector<std::string>& before,
                        const std::vector<std::string>& after) {
  const std::vector<std::size_t> matched = match(before, after);
  const std::vector<bool> stays = stayed(matched);
  std::vector<std::size_t> origin(after.size(), kNone);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (matched[i] != kNone) {
      origin[matched[i]] = i;
    }
  }
  std::vector<Edit> out;
  std::size_t next = 0;  // of `before`
  const auto remove_until_stay = [&] {
    for (; next < before.size() && !stays[next]; ++next) {
      if (matched[next] == kNone) {
        out.push_back({ChangeKind::kRemoved, next, std::nullopt});
      }
    }
  };
  remove_until_stay();
  for (std::size_t j = 0; j < after.size(); ++j) {
    if (origin[j] == kNone) {
      out.push_back({ChangeKind::kAdded, std::nullopt, j});
    } else if (!stays[origin[j]]) {
      out.push_back({ChangeKind::kMoved, origin[j], j});
    } else {
      out.push_back({std::nullopt, next++, j});
      remove_until_stay();
    }
  }
  return out;
}

std::vector<Edit> join_changed(const std::vector<Edit>& edits) {
  std::vector<Edit> out;
  std::vector<std::size_t> removed;  // places in `out` of this gap's removals without a partner
  std::size_t used = 0;
  for (const Edit& edit : edits) {
    if (!edit.kind) {
      removed.clear();
      used = 0;
    } else if (edit.kind == ChangeKind::kRemoved) {
      removed.push_back(out.size());
    } else if (edit.kind == ChangeKind::kAdded && used < removed.size()) {
      Edit& partner = out[removed[used++]];
      partner.kind = ChangeKind::kChanged;
      partner.after = edit.after;
      continue;
    }
    out.push_back(edit);
  }
  return out;
}

}  // namespace cloche::definition
