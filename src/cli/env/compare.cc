#include "cli/env/compare.h"

#include "cli/messages.h"

namespace cloche::cli {

Result<Sides> find_sides(const CompareOptions& options, Context& context) {
  Sides sides;
  sides.before = TRY(find_subject(options.before, context));
  sides.after = TRY(find_subject(options.after, context));
  return sides;
}

Json side_record(const Subject& subject, const std::string& as_typed) {
  Json record;
  record.set("subject", as_typed)
      .set("name", text_or_null(subject.entry.environment.name))
      .set("version", text_or_null(subject.entry.environment.version))
      .set("fingerprint", subject.entry.fingerprint);
  return record;
}

}  // namespace cloche::cli
