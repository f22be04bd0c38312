// Progress is data: whoever works long reports events; a terminal's bar, plain lines and JSON lines
// are listeners (cli/).
#pragma once

#include <cstdint>
#include <string_view>

namespace cloche {

// Any thread may call; an implementation guards itself. Activities are few and named by what is
// being done ("downloading", "solving"); items are what they are done to (a file, a package).
// The base class ignores everything: pass one where nobody listens.
class Progress {
 public:
  enum class Unit { kNone, kItems, kBytes };

  Progress() = default;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  virtual ~Progress() = default;

  // `total` 0: not known yet; a later begin() of the same activity may raise it.
  virtual void begin(std::string_view /*activity*/, std::uint64_t /*total*/, Unit /*unit*/) {}
  // `more` units of it are done; `item` is what is being worked on.
  virtual void advance(std::string_view /*activity*/, std::uint64_t /*more*/,
                       std::string_view /*item*/) {}
  virtual void end(std::string_view /*activity*/) {}
  // A fact worth a line: "conda-forge is not reachable, trying again in 2 s".
  virtual void note(std::string_view /*text*/) {}
};

}  // namespace cloche
