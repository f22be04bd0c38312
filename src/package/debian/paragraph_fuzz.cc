#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "package/debian/paragraph.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche::debian;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto comments : {ParagraphReader::Comments::kNo, ParagraphReader::Comments::kYes}) {
    ParagraphReader reader(text, "control", comments);
    Paragraph paragraph;
    int line = 0;
    for (;;) {
      const auto more = reader.next(paragraph);
      if (!more.has_value()) {
        CHECK(!more.error().message.empty() && more.error().at.line > line);
        break;
      }
      if (!*more) {
        break;
      }
      CHECK(!paragraph.fields().empty() && paragraph.line() > line);
      line = paragraph.line();
      for (const Field& field : paragraph.fields()) {
        CHECK(paragraph.value(field.name) == field.value);
        (void)value_lines(field.value);
        (void)value_words(field.value);
      }
    }
  }
  return 0;
}
