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

namespace cloche::source {

namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

// For one record; simdjson needs six times as much again.
constexpr std::size_t kMaxWindowBytes = std::size_t{8} << 20U;
constexpr std::size_t kMaxInfoBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxKeyBytes = 4096;
constexpr std::size_t kMaxWordBytes = 64;
constexpr std::size_t kMaxDepth = 64;
constexpr int kEnd = -1;  // what stands behind the last byte

bool is_blank(int c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// The part of the document that is in memory. There is always a byte before data(), and room for
// simdjson's padding behind.
class Window {
 public:
  Window(io::Reader& source, std::size_t bytes) : source_(source), buffer_(bytes + kSlack) {}

  char* data() { return buffer_.data() + begin_; }
  std::size_t size() const { return end_ - begin_; }
  bool at_end() const { return eof_; }  // nothing follows what is in memory
  std::size_t capacity() const { return buffer_.size() - kSlack; }
  std::uint64_t offset() const { return offset_; }  // of data() in the document

  void skip(std::size_t count) {
    begin_ += count;
    offset_ += count;
  }

  // Moves what is left to the front and fills the rest.
  Status fill() {
    std::memmove(buffer_.data() + 1, data(), size());
    end_ = 1 + size();
    begin_ = 1;
    while (!eof_ && end_ < 1 + capacity()) {
      const std::size_t count =
          TRY(source_.read(std::span(buffer_).subspan(end_, 1 + capacity() - end_)));
      eof_ = count == 0;
      end_ += count;
    }
    return {};
  }

  // Twice the room; false when it is as big as it may be.
  bool grow() {
    if (capacity() * 2 > kMaxWindowBytes) {
      return false;
    }
    buffer_.resize((capacity() * 2) + kSlack);
    return true;
  }

  // The byte at data(), or kEnd.
  Result<int> peek() {
    if (size() == 0 && !eof_) {
      TRY(fill());
    }
    return size() > 0 ? static_cast<unsigned char>(*data()) : kEnd;
  }

 private:
  static constexpr std::size_t kSlack = 3 + simdjson::SIMDJSON_PADDING;

  io::Reader& source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 1;
  std::size_t end_ = 1;
  std::uint64_t offset_ = 0;
  bool eof_ = false;
};

// The key of a member, for a switch: the text up to the closing quote, unless it has an escape.
std::string_view key_text(const ondemand::raw_json_string& key) {
  constexpr std::size_t kLongestKnown = 32;
  const char* const text = key.raw();
  const void* const quote = std::memchr(text, '"', kLongestKnown);
  return quote == nullptr
             ? std::string_view()
             : std::string_view(text,
                                static_cast<std::size_t>(static_cast<const char*>(quote) - text));
}

// simdjson's messages as ours are written.
std::string message_of(error_code error) {
  std::string out = simdjson::error_message(error);
  out = out.substr(0, out.find('.'));
  if (out.size() > 1 && out[1] >= 'a') {
    out[0] = to_lower(out.substr(0, 1))[0];
  }
  return out;
}

std::string_view trimmed_token(std::string_view token) {
  while (!token.empty() && is_blank(token.back())) {
    token.remove_suffix(1);
  }
  return token;
}

class Parser {
 public:
  Parser(io::Reader& source, std::string_view subdir, RepodataIndexBuilder& builder,
         std::size_t window_bytes)
      : window_(source, window_bytes), subdir_(subdir), builder_(builder) {}

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
        TRY(check_version(trimmed_token(field.value().raw_json_token())));
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
    kind_ = kind;
    v3_ = v3;
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
    has_escapes_ = std::memchr(begin, '\\', length) != nullptr;
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
        TRY(add_record());
        done = key;
      }
      const Result<bool> complete = read_record(field);
      if (!complete) {
        return complete.error();
      }
      if (!*complete) {
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
      TRY(add_record());
    }
    return done;
  }

  Status add_record() {
    if (entry_.name == 0 || entry_.record.version == 0) {
      return fail(ErrorKind::kCorrupt, "the repodata's record of {} lacks its name or version",
                  printable(file_name_.substr(0, 200)));
    }
    builder_.add(entry_);
    return {};
  }

  // `done` is where a key begins whose record is not complete; what was read ends at the comma
  // before it.
  static const char* before_comma(const char* begin, const char* done) {
    while (done != nullptr && done > begin && *done != ',') {
      --done;
    }
    return done;
  }

  // --- one record
  // ---------------------------------------------------------------------------------

  // False: not complete, or not JSON. Errors are about what it says.
  Result<bool> read_record(ondemand::field& field) {
    entry_ = {};
    entry_.record.kind = static_cast<std::uint32_t>(kind_);
    if (const error_code error = whole_key(field).get(file_name_)) {
      problem_ = message_of(error);
      return false;
    }
    if (file_name_.find('/') != std::string_view::npos) {
      return fail(ErrorKind::kCorrupt, "the repodata has a package file called '{}'",
                  printable(file_name_.substr(0, 200)));
    }
    ondemand::object object;
    if (const error_code error = field.value().get_object().get(object)) {
      problem_ = message_of(error);
      return false;
    }
    for (auto member : object) {
      ondemand::field one;
      if (const error_code error = std::move(member).get(one)) {
        problem_ = message_of(error);
        return false;
      }
      std::string_view key = key_text(one.key());
      if (has_escapes_) {
        if (const error_code error = whole_key(one).get(key)) {
          problem_ = message_of(error);
          return false;
        }
      }
      if (const error_code error = read_field(key, one.value())) {
        if (error == simdjson::INCORRECT_TYPE || error == simdjson::NUMBER_ERROR) {
          return fail(ErrorKind::kCorrupt, "the repodata's record of {} has a wrong '{}'",
                      printable(file_name_.substr(0, 200)), printable(key));
        }
        problem_ = message_of(error);
        return false;
      }
    }
    note_file_name();
    return true;
  }

  // A key of any length. What has no escape is a view of the window.
  simdjson::simdjson_result<std::string_view> whole_key(ondemand::field& field) const {
    const char* const text = field.key().raw();
    if (has_escapes_) {
      for (const char* end = text;; ++end) {
        if (*end == '\\') {
          return field.unescaped_key();
        }
        if (*end == '"') {
          break;
        }
      }
    }
    return std::string_view(
        text, static_cast<std::size_t>(static_cast<const char*>(rawmemchr(text, '"')) - text));
  }

  // Kept only where it is not what name, version and build make of it.
  void note_file_name() {
    const StringTable& strings = builder_.strings();
    const std::string_view ending = kind_ == ArchiveKind::kConda ? ".conda" : ".tar.bz2";
    std::string_view rest = file_name_;
    const auto take = [&](std::string_view text) {
      const bool found = rest.starts_with(text);
      rest.remove_prefix(found ? text.size() : 0);
      return found;
    };
    if (take(strings.text(entry_.name)) && take("-") && take(strings.text(entry_.record.version)) &&
        take("-") && take(strings.text(entry_.record.build)) &&
        (v3_ ? rest.empty() : rest == ending)) {
      return;
    }
    entry_.details.file_name = builder_.strings().add(v3_ ? std::string(file_name_).append(ending)
                                                          : std::string(file_name_));
  }

  error_code read_field(std::string_view key, ondemand::value value) {
    if (key.empty()) {
      return simdjson::SUCCESS;
    }
    index_layout::Record& record = entry_.record;
    index_layout::Details& details = entry_.details;
    switch (key.front()) {
      case 'b':
        if (key == "build" || key == "build_string") {
          return text(value, record.build, last_.build);
        }
        return key == "build_number" ? number(value, record.build_number) : simdjson::SUCCESS;
      case 'c':
        return key == "constrains" ? texts(value, record.constrains) : simdjson::SUCCESS;
      case 'd':
        return key == "depends" ? texts(value, record.depends) : simdjson::SUCCESS;
      case 'e':
        return key == "extra_depends" || key == "extra-depends" ? extras(value) : simdjson::SUCCESS;
      case 'f':
        return key == "flags" ? texts(value, record.flags) : simdjson::SUCCESS;
      case 'l':
        if (key == "license") {
          return optional_text(value, details.license, last_.license);
        }
        return key == "license_family" ? optional_text(value, details.license_family, last_.family)
                                       : simdjson::SUCCESS;
      case 'm':
        return key == "md5" ? hash(value, details.md5, 1) : simdjson::SUCCESS;
      case 'n':
        if (key == "name") {
          return text(value, entry_.name, last_.name);
        }
        return key == "noarch" ? noarch(value) : simdjson::SUCCESS;
      case 'p':
        return key == "python_site_packages_path"
                   ? optional_text(value, details.python_site_packages_path, last_.site_packages)
                   : simdjson::SUCCESS;
      case 's':
        if (key == "sha256") {
          return hash(value, details.sha256, 2);
        }
        return key == "size" ? number(value, details.size_bytes) : simdjson::SUCCESS;
      case 't':
        if (key == "timestamp") {
          return timestamp(value);
        }
        return key == "track_features" ? features(value) : simdjson::SUCCESS;
      case 'v':
        return key == "version" ? text(value, record.version, last_.version) : simdjson::SUCCESS;
      default:
        return simdjson::SUCCESS;
    }
  }

  // Neighbours often say the same (name, version, licence): `last` is what the record before had.
  error_code text(ondemand::value& value, std::uint32_t& out, std::uint32_t& last) {
    std::string_view read;
    const error_code error = value.get_string().get(read);
    if (error == simdjson::SUCCESS) {
      if (builder_.strings().text(last) != read) {
        last = builder_.strings().add(read);
      }
      out = last;
    }
    return error;
  }

  // What conda never looks at may be null or anything else.
  error_code optional_text(ondemand::value& value, std::uint32_t& out, std::uint32_t& last) {
    ondemand::json_type type{};
    if (const error_code error = value.type().get(type)) {
      return error;
    }
    return type == ondemand::json_type::string ? text(value, out, last) : simdjson::SUCCESS;
  }

  static error_code number(ondemand::value& value, std::uint64_t& out) {
    ondemand::json_type type{};
    if (const error_code error = value.type().get(type)) {
      return error;
    }
    return type == ondemand::json_type::null ? simdjson::SUCCESS : value.get_uint64().get(out);
  }

  // Seconds in old records, milliseconds in newer ones (conda: models/records.py, TimestampField).
  error_code timestamp(ondemand::value& value) {
    constexpr double kLatestSecond = 253402300799.0;  // the end of the year 9999
    double read = 0;
    ondemand::json_type type{};
    if (const error_code error = value.type().get(type)) {
      return error;
    }
    if (type != ondemand::json_type::number) {
      return simdjson::SUCCESS;
    }
    if (const error_code error = value.get_double().get(read)) {
      return error;
    }
    constexpr double kMost = 9e15;
    const double ms = read <= kLatestSecond ? read * 1000 : read;
    entry_.record.timestamp_ms = ms > 0 && ms < kMost ? static_cast<std::int64_t>(ms) : 0;
    return simdjson::SUCCESS;
  }

  error_code hash(ondemand::value& value, std::span<unsigned char> out, std::uint32_t bit) {
    ondemand::json_type type{};
    if (const error_code error = value.type().get(type)) {
      return error;
    }
    if (type != ondemand::json_type::string) {
      return simdjson::SUCCESS;
    }
    std::string_view token = trimmed_token(value.raw_json_token());
    if (token.size() < 2) {
      return simdjson::TAPE_ERROR;
    }
    token = token.substr(1, token.size() - 2);
    if (token.empty()) {
      return simdjson::SUCCESS;
    }
    if (!parse_hex(token, out)) {
      return simdjson::INCORRECT_TYPE;
    }
    entry_.details.hashes |= bit;
    return simdjson::SUCCESS;
  }

  // true is conda-build's first way to say "generic" (CEP 34).
  error_code noarch(ondemand::value& value) {
    ondemand::json_type type{};
    if (const error_code error = value.type().get(type)) {
      return error;
    }
    conda::Noarch out = conda::Noarch::kNone;
    if (type == ondemand::json_type::boolean) {
      bool is_true = false;
      if (const error_code error = value.get_bool().get(is_true)) {
        return error;
      }
      out = is_true ? conda::Noarch::kGeneric : conda::Noarch::kNone;
    } else if (type == ondemand::json_type::string) {
      std::string_view read;
      if (const error_code error = value.get_string().get(read)) {
        return error;
      }
      out = read == "python" ? conda::Noarch::kPython : conda::Noarch::kGeneric;
    }
    entry_.details.noarch = static_cast<std::uint32_t>(out);
    return simdjson::SUCCESS;
  }

  // A list, or words in one string (old packages).
  error_code features(ondemand::value& value) {
    ondemand::json_type type{};
    if (const error_code error = value.type().get(type)) {
      return error;
    }
    if (type == ondemand::json_type::array) {
      return texts(value, entry_.record.track_features);
    }
    if (type != ondemand::json_type::string) {
      return simdjson::SUCCESS;
    }
    std::string_view read;
    if (const error_code error = value.get_string().get(read)) {
      return error;
    }
    items_.clear();
    for (const std::string_view word : split(read, ' ')) {
      if (!trim(word).empty()) {
        items_.push_back(builder_.strings().add(trim(word)));
      }
    }
    entry_.record.track_features = builder_.list(items_);
    return simdjson::SUCCESS;
  }

  error_code texts(ondemand::value& value, std::uint32_t& out) {
    ondemand::json_type type{};
    if (const error_code error = value.type().get(type)) {
      return error;
    }
    if (type == ondemand::json_type::null) {
      return simdjson::SUCCESS;
    }
    ondemand::array array;
    if (const error_code error = value.get_array().get(array)) {
      return error;
    }
    std::string_view raw;
    if (const error_code error = array.raw_json().get(raw)) {
      return error;
    }
    raw = trimmed_token(raw);
    if (raw == "[]") {
      return simdjson::SUCCESS;
    }
    const RepodataIndexBuilder::RawKey key = RepodataIndexBuilder::raw_key(raw);
    if (const std::optional<std::uint32_t> known = builder_.known_list(key)) {
      out = *known;
      return simdjson::SUCCESS;
    }
    if (const error_code error = array.reset().error()) {
      return error;
    }
    if (const error_code error = read_items(array)) {
      return error;
    }
    out = builder_.list(items_);
    builder_.remember_list(key, out);
    return simdjson::SUCCESS;
  }

  error_code read_items(ondemand::array& array) {
    items_.clear();
    return append_items(array);
  }

  error_code append_items(ondemand::array& array) {
    for (auto item : array) {
      std::string_view read;
      if (const error_code error = item.get_string().get(read)) {
        return error;
      }
      items_.push_back(builder_.strings().add(read));
    }
    return simdjson::SUCCESS;
  }

  // {"extra": ["spec", ...]} as name, how many, specs (repodata_index.h).
  error_code extras(ondemand::value& value) {
    ondemand::json_type type{};
    if (const error_code error = value.type().get(type)) {
      return error;
    }
    if (type == ondemand::json_type::null) {
      return simdjson::SUCCESS;
    }
    ondemand::object object;
    if (const error_code error = value.get_object().get(object)) {
      return error;
    }
    items_.clear();
    for (auto member : object) {
      ondemand::field field;
      if (const error_code error = std::move(member).get(field)) {
        return error;
      }
      std::string_view name;
      if (const error_code error = whole_key(field).get(name)) {
        return error;
      }
      items_.push_back(builder_.strings().add(name));
      const std::size_t count_at = items_.size();
      items_.push_back(0);
      ondemand::array array;
      if (const error_code error = field.value().get_array().get(array)) {
        return error;
      }
      if (const error_code error = append_items(array)) {
        return error;
      }
      items_[count_at] = static_cast<std::uint32_t>(items_.size() - count_at - 1);
    }
    entry_.record.extra_depends = builder_.list(items_);
    return simdjson::SUCCESS;
  }

  Window window_;
  std::string subdir_;
  RepodataIndexBuilder& builder_;
  ondemand::parser parser_;
  ArchiveKind kind_ = ArchiveKind::kConda;
  bool v3_ = false;
  bool seen_[2][2] = {};  // [v3][.conda]: each object of records at most once
  bool closed_ = false;
  bool has_escapes_ = false;  // somewhere in the fragment is a backslash
  std::string problem_;
  std::string_view file_name_;
  RepodataIndexBuilder::Entry entry_;
  std::vector<std::uint32_t> items_;
  struct {
    std::uint32_t name = 0;
    std::uint32_t version = 0;
    std::uint32_t build = 0;
    std::uint32_t license = 0;
    std::uint32_t family = 0;
    std::uint32_t site_packages = 0;
  } last_;
};

}  // namespace

Status parse_repodata(io::Reader& source, std::string_view subdir, RepodataIndexBuilder& builder,
                      std::size_t window_bytes) {
  return Parser(source, subdir, builder, window_bytes).run();
}

}  // namespace cloche::source
