#include "core/excerpt.h"

#include "core/text.h"

namespace cloche {

Excerpts::Excerpts(std::string_view text, std::string_view file)
    : file_(file), lines_(split_lines(text)) {}

std::string_view Excerpts::line(int number) const {
  const auto index = static_cast<std::size_t>(number - 1);
  return number > 0 && index < lines_.size() ? lines_[index] : std::string_view();
}

void Excerpts::fill(Error& error) const {
  if (error.excerpt.empty() && error.at.file == file_) {
    error.excerpt = line(error.at.line);
  }
}

void Excerpts::append(const Diagnostics& from, Diagnostics& to) const {
  for (Diagnostic one : from.list()) {
    if (one.excerpt.empty() && one.at.file == file_) {
      one.excerpt = line(one.at.line);
    }
    to.add(std::move(one));
  }
}

}  // namespace cloche
