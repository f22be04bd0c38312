// The document is one object of several hundred thousand small ones, far too big to hold. So a
// window moves over it. The few outer braces and keys are read by hand; within an object of records
// the window's text, from one record's key to the last closing brace in it, is made an object of
// its own by a brace before and one behind, and simdjson reads that.
//
// Where the window was cut may be within a record (nested objects have closing braces too), so a
// record counts only when the token after it was seen to be right; the rest waits for the next
// window.
#include "source/conda/repodata_parser.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "core/text.h"
#include "source/conda/repodata_record.h"
#include "source/conda/repodata_window.h"

namespace cloche::source {

namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

constexpr std::size_t kMaxInfoBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxKeyBytes = 4096;
constexpr std::size_t kMaxWordBytes = 64;
constexpr std::size_t kMaxDepth = 64;
constexpr int kEnd = RepodataWindow::kEnd;

bool is_blank(int c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

class Parser {
 public:
  Parser(io::Reader& source, std::string_view subdir, RepodataIndexBuilder& builder,
         std::size_t window_bytes)
      : window_(source, window_bytes), subdir_(subdir), builder_(builder), record_(builder) {}

  Status run() {
    builder_.set_subdir(subdir_);
    if (TRY(next()) == kEnd) {
      return {};  // CEP 36: an empty file is {}
    }
    TRY(members([this](const std::string& key) { return top_level(key); }));
    if (TRY(next()) != kEnd) {
      return corrupt("something follows the document");
    }
    return {};
  }

 private:
  // --- the outer levels
  // ---------------------------------------------------------------------------

  Error corrupt(std::string_view what) const {
    return fail(ErrorKind::kCorrupt, "the repodata is damaged at byte {}: {}", window_.offset(),
                what);
  }

  // The next byte that is no blank, which stays, or kEnd.
  Result<int> next() {
    for (;;) {
      const int c = TRY(window_.peek());
      if (!is_blank(c)) {
        return c;
      }
      window_.skip(1);
    }
  }

  Status expect(char wanted) {
    if (TRY(next()) != wanted) {
      return corrupt(std::string("'") + wanted + "' is missing");
    }
    window_.skip(1);
    return {};
  }

  // The text of a string.
  Result<std::string> string_token() {
    TRY(next());
    std::string raw;
    TRY(skip_value(&raw));
    if (raw.size() < 2 || raw.front() != '"' || raw.size() > kMaxKeyBytes) {
      return corrupt("a key is missing or too long");
    }
    if (raw.find('\\') == std::string::npos) {
      return raw.substr(1, raw.size() - 2);
    }
    const simdjson::padded_string padded(raw);
    ondemand::document document;
    std::string_view text;
    if (parser_.iterate(padded).get(document) != simdjson::SUCCESS ||
        document.get_string().get(text) != simdjson::SUCCESS) {
      return corrupt("a key cannot be read");
    }
    return std::string(text);
  }

  // Calls `member` with each key of an object, the window standing before its value.
  template <class Member>
  Status members(const Member& member) {
    TRY(expect('{'));
    if (TRY(next()) == '}') {
      window_.skip(1);
      return {};
    }
    for (;;) {
      const std::string key = TRY(string_token());
      TRY(expect(':'));
      TRY(member(key));
      if (TRY(next()) != ',') {
        return expect('}');
      }
      window_.skip(1);
    }
  }

  Status top_level(const std::string& key) {
    if (key == "packages") {
      return records(ArchiveKind::kTarBz2, false);
    }
    if (key == "packages.conda") {
      return records(ArchiveKind::kConda, false);
    }
    if (key == "v3") {
      return TRY(next()) == 'n' ? null() : members([this](const std::string& extension) {
        if (extension == "conda") {
          return records(ArchiveKind::kConda, true);
        }
        return extension == "tar.bz2" ? records(ArchiveKind::kTarBz2, true) : skip_value(nullptr);
      });
    }
    if (key == "info" || key == "repodata_version") {
      std::string text;
      TRY(skip_value(&text));
      return key == "info" ? read_info(text) : check_version(text);
    }
    return skip_value(nullptr);
  }

  Status null() {
    std::string text;
    TRY(skip_value(&text));
    return text == "null" ? Status() : Status(corrupt("an object is missing"));
  }

  // Passes over a value of any size; with `text`, keeps it.
  Status skip_value(std::string* text) {
    TRY(next());
    std::string open;  // brackets, innermost last
    std::string word;  // a number, true, false, null
    for (;;) {
      const int c = TRY(window_.peek());
      if (c == kEnd) {
        return corrupt("it ends within a value");
      }
      if (open.empty() && (c == ',' || c == '}' || c == ']' || is_blank(c))) {
        return check_word(word);
      }
      window_.skip(1);
      if (text != nullptr && text->size() < kMaxInfoBytes) {
        *text += static_cast<char>(c);
      }
      if (c == '"') {
        TRY(skip_string(text));
      } else if (c == '{' || c == '[') {
        open += static_cast<char>(c);
        if (open.size() > kMaxDepth) {
          return corrupt("too many brackets within one another");
        }
      } else if (c == '}' || c == ']') {
        if (open.back() != (c == '}' ? '{' : '[')) {
          return corrupt("brackets do not match");
        }
        open.pop_back();
      } else if (open.empty() && word.size() < kMaxWordBytes) {
        word += static_cast<char>(c);
      }
      if (open.empty() && (c == '"' || c == '}' || c == ']')) {
        return word.empty() ? Status() : Status(corrupt("no JSON"));
      }
    }
  }

  // The rest of a string whose opening quote was passed.
  Status skip_string(std::string* text) {
    for (bool escaped = false;;) {
      const int c = TRY(window_.peek());
      if (c == kEnd) {
        return corrupt("it ends within a string");
      }
      window_.skip(1);
      if (text != nullptr && text->size() < kMaxInfoBytes) {
        *text += static_cast<char>(c);
      }
      if (c == '"' && !escaped) {
        return {};
      }
      escaped = c == '\\' && !escaped;
    }
  }

  Status check_word(std::string_view word) const {
    const bool number =
        !word.empty() && word.find_first_not_of("+-.0123456789eE") == std::string_view::npos;
    return number || word == "true" || word == "false" || word == "null"
               ? Status()
               : Status(corrupt("a value is missing or no JSON"));
  }

  Status check_version(std::string_view text) {
    if (text == "1" || text == "2" || text == "0" || text == "null") {
      return {};
    }
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
      return corrupt("'repodata_version' is no whole number");
    }
    return fail(ErrorKind::kUnsupported, "the repodata is of version {}, but 2 is the newest known",
                printable(text.substr(0, 20)))
        .with_hint("look for a newer Cloche");
  }

  Status read_info(const std::string& text) {
    const simdjson::padded_string padded(text);
    ondemand::document document;
    ondemand::object object;
    if (parser_.iterate(padded).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
      return text == "null" ? Status() : Status(corrupt("'info' is no object"));
    }
    for (auto member : object) {
      ondemand::field field;
      std::string_view key;
      if (std::move(member).get(field) != simdjson::SUCCESS ||
          field.unescaped_key().get(key) != simdjson::SUCCESS) {
        return corrupt("'info' cannot be read");
      }
      if (key == "repodata_version") {
        TRY(check_version(trim(field.value().raw_json_token())));
      } else if (key == "subdir") {
        TRY(check_subdir(TRY(info_text(field, key))));
      } else if (key == "base_url") {
        builder_.set_base_url(TRY(info_text(field, key)));
      }
    }
    return {};
  }

  // "" for null.
  Result<std::string_view> info_text(ondemand::field& field, std::string_view key) const {
    bool is_null = false;
    std::string_view text;
    if (field.value().is_null().get(is_null) == simdjson::SUCCESS && is_null) {
      return text;
    }
    if (field.value().get_string().get(text) != simdjson::SUCCESS) {
      return corrupt(fmt::format("'{}' of 'info' is no text", key));
    }
    return text;
  }

  Status check_subdir(std::string_view value) {
    if (value.empty()) {
      return {};
    }
    if (!subdir_.empty() && value != subdir_) {
      return fail(ErrorKind::kCorrupt, "the repodata says that it is for {}, not {}",
                  printable(value.substr(0, 40)), subdir_)
          .with_hint("the channel serves another platform's file there: tell its operator");
    }
    builder_.set_subdir(value);
    return {};
  }

  // --- an object of records
  // -----------------------------------------------------------------------

  Status records(ArchiveKind kind, bool v3) {
    if (TRY(next()) == 'n') {
      return null();
    }
    bool& seen = seen_[v3 ? 1 : 0][kind == ArchiveKind::kConda ? 1 : 0];
    if (std::exchange(seen, true)) {
      return corrupt("an object of packages stands there twice");
    }
    TRY(expect('{'));
    if (TRY(next()) == '}') {
      window_.skip(1);
      return {};
    }
    record_.set_section(kind, v3);
    for (;;) {
      if (TRY(next()) != '"') {
        return corrupt("the name of a package file is missing");
      }
      if (TRY(some_records())) {
        return {};
      }
      if (TRY(next()) != ',') {
        return expect('}');
      }
      window_.skip(1);
    }
  }

  // Reads as many records as the window has, and leaves it behind the last one of them. True: the
  // closing brace of their object was passed too.
  Result<bool> some_records() {
    for (;;) {
      if (window_.size() < window_.capacity() / 4) {
        TRY(window_.fill());
      }
      const std::optional<std::size_t> length = last_brace();
      if (length) {
        if (const std::optional<bool> closed = TRY(read_fragment(*length))) {
          return *closed;
        }
      }
      const std::size_t before = window_.size();
      TRY(window_.fill());
      if (window_.size() == before && (window_.at_end() || !window_.grow())) {
        return window_.at_end() && !length
                   ? corrupt("it ends within a record")
                   : corrupt(problem_.empty() ? "a record cannot be read" : problem_);
      }
      TRY(window_.fill());
    }
  }

  // How much of the window to read: up to the last closing brace.
  std::optional<std::size_t> last_brace() {
    const void* const brace = memrchr(window_.data(), '}', window_.size());
    if (brace == nullptr) {
      return std::nullopt;
    }
    return static_cast<std::size_t>(static_cast<const char*>(brace) - window_.data()) + 1;
  }

  // The same where simdjson found a string that does not end: by counting quotes from the start.
  std::optional<std::size_t> last_brace_outside_strings() {
    std::optional<std::size_t> out;
    bool in_string = false;
    const char* const data = window_.data();
    for (std::size_t i = 0; i < window_.size(); ++i) {
      if (in_string && data[i] == '\\') {
        ++i;
      } else if (data[i] == '"') {
        in_string = !in_string;
      } else if (data[i] == '}' && !in_string) {
        out = i + 1;
      }
    }
    return out;
  }

  // Nothing: no record was complete, more of the document is needed.
  Result<std::optional<bool>> read_fragment(std::size_t length) {
    ondemand::document document;
    error_code error = open_fragment(length, document);
    if (error == simdjson::UNCLOSED_STRING) {
      const std::optional<std::size_t> exact = last_brace_outside_strings();
      if (!exact) {
        return std::optional<bool>();
      }
      length = *exact;
      error = open_fragment(length, document);
    }
    if (error != simdjson::SUCCESS) {
      problem_ = message_of(error);
      return std::optional<bool>();
    }
    char* const begin = window_.data();
    const Fragment fragment(begin, length);
    record_.set_escapes(std::memchr(begin, '\\', length) != nullptr);
    const Result<const char*> end = read_records(document, begin, begin + length);
    if (!end) {
      return end.error();
    }
    if (*end == nullptr) {
      return std::optional<bool>();
    }
    window_.skip(static_cast<std::size_t>(*end - begin));
    return std::optional<bool>(closed_);
  }

  // While it lives, the text has its braces.
  class Fragment {
   public:
    Fragment(char* begin, std::size_t length) : begin_(begin), end_(begin + length) {
      begin_[-1] = '{';
      end_[0] = '}';
      end_[1] = ' ';  // simdjson takes a '}' right behind a document for one too many
    }
    ~Fragment() {
      begin_[-1] = before_;
      std::ranges::copy(behind_, end_);
    }
    Fragment(const Fragment&) = delete;
    Fragment& operator=(const Fragment&) = delete;

   private:
    char* begin_;
    char* end_;
    char before_ = begin_[-1];
    std::array<char, 2> behind_ = {end_[0], end_[1]};
  };

  error_code open_fragment(std::size_t length, ondemand::document& document) {
    char* const begin = window_.data();
    const Fragment fragment(begin, length);
    return parser_.iterate(begin - 1, length + 2, length + 2 + simdjson::SIMDJSON_PADDING)
        .get(document);
  }

  // Where what was read ends, null when that is nowhere. Sets closed_.
  Result<const char*> read_records(ondemand::document& document, const char* begin,
                                   const char* end) {
    ondemand::object object;
    if (const error_code error = document.get_object().get(object)) {
      problem_ = message_of(error);
      return nullptr;
    }
    bool pending = false;
    const char* done = nullptr;
    closed_ = false;
    for (auto member : object) {
      ondemand::field field;
      if (const error_code error = std::move(member).get(field)) {
        problem_ = message_of(error);
        return before_comma(begin, done);
      }
      const char* const key = field.key().raw() - 1;  // its quote
      if (pending) {
        TRY(record_.add());
        done = key;
      }
      const Result<bool> complete = record_.read(field);
      if (!complete) {
        return complete.error();
      }
      if (!*complete) {
        problem_ = record_.problem();
        return before_comma(begin, done);
      }
      pending = true;
    }
    const char* location = nullptr;
    if (document.current_location().get(location) == simdjson::SUCCESS) {
      closed_ = true;  // by a brace of the document's own
      done = location;
    } else {
      done = end;
    }
    if (pending) {
      TRY(record_.add());
    }
    return done;
  }

  // `done` is where a key begins whose record is not complete; what was read ends at the comma
  // before it.
  static const char* before_comma(const char* begin, const char* done) {
    while (done != nullptr && done > begin && *done != ',') {
      --done;
    }
    return done;
  }

  RepodataWindow window_;
  std::string subdir_;
  RepodataIndexBuilder& builder_;
  RepodataRecordReader record_;
  ondemand::parser parser_;
  bool seen_[2][2] = {};  // [v3][.conda]: each object of records at most once
  bool closed_ = false;
  std::string problem_;
};

}  // namespace

Status parse_repodata(io::Reader& source, std::string_view subdir, RepodataIndexBuilder& builder,
                      std::size_t window_bytes) {
  return Parser(source, subdir, builder, window_bytes).run();
}

}  // namespace cloche::source
