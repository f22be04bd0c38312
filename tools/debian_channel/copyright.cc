#include "debian_channel/copyright.h"

#include "core/text.h"
#include "package/debian/paragraph.h"

namespace cloche::debian_channel {

std::string short_license(std::string_view copyright) {
  debian::ParagraphReader reader(copyright);
  debian::Paragraph paragraph;
  std::string first;
  while (true) {
    const Result<bool> more = reader.next(paragraph);
    if (!more || !*more) {
      return first;  // a text that is no control data has none
    }
    const std::string_view license = paragraph.value("License");
    if (license.empty() || !paragraph.has("Files")) {
      continue;
    }
    const std::string name(trim(license.substr(0, license.find('\n'))));
    if (trim(paragraph.value("Files")) == "*") {
      return name;
    }
    first = first.empty() ? name : first;
  }
}

}  // namespace cloche::debian_channel
