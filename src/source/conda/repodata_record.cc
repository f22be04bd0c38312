#include "source/conda/repodata_record.h"

#include <cstring>
#include <optional>
#include <utility>

#include "core/text.h"

namespace cloche::source {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

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

}  // namespace

std::string message_of(error_code error) {
  std::string out = simdjson::error_message(error);
  out = out.substr(0, out.find('.'));
  if (out.size() > 1 && out[1] >= 'a') {
    out[0] = to_lower(out.substr(0, 1))[0];
  }
  return out;
}

Result<bool> RepodataRecordReader::read(ondemand::field& field) {
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

simdjson::simdjson_result<std::string_view> RepodataRecordReader::whole_key(
    ondemand::field& field) const {
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

void RepodataRecordReader::note_file_name() {
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

error_code RepodataRecordReader::read_field(std::string_view key, ondemand::value value) {
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

error_code RepodataRecordReader::text(ondemand::value& value, std::uint32_t& out,
                                      std::uint32_t& last) {
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

error_code RepodataRecordReader::optional_text(ondemand::value& value, std::uint32_t& out,
                                               std::uint32_t& last) {
  ondemand::json_type type{};
  if (const error_code error = value.type().get(type)) {
    return error;
  }
  return type == ondemand::json_type::string ? text(value, out, last) : simdjson::SUCCESS;
}

error_code RepodataRecordReader::number(ondemand::value& value, std::uint64_t& out) {
  ondemand::json_type type{};
  if (const error_code error = value.type().get(type)) {
    return error;
  }
  return type == ondemand::json_type::null ? simdjson::SUCCESS : value.get_uint64().get(out);
}

error_code RepodataRecordReader::timestamp(ondemand::value& value) {
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

error_code RepodataRecordReader::hash(ondemand::value& value, std::span<unsigned char> out,
                                      std::uint32_t bit) {
  ondemand::json_type type{};
  if (const error_code error = value.type().get(type)) {
    return error;
  }
  if (type != ondemand::json_type::string) {
    return simdjson::SUCCESS;
  }
  std::string_view token = trim(value.raw_json_token());
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

error_code RepodataRecordReader::noarch(ondemand::value& value) {
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

error_code RepodataRecordReader::features(ondemand::value& value) {
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

error_code RepodataRecordReader::texts(ondemand::value& value, std::uint32_t& out) {
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
  raw = trim(raw);
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

error_code RepodataRecordReader::read_items(ondemand::array& array) {
  items_.clear();
  return append_items(array);
}

error_code RepodataRecordReader::append_items(ondemand::array& array) {
  for (auto item : array) {
    std::string_view read;
    if (const error_code error = item.get_string().get(read)) {
      return error;
    }
    items_.push_back(builder_.strings().add(read));
  }
  return simdjson::SUCCESS;
}

error_code RepodataRecordReader::extras(ondemand::value& value) {
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

Status RepodataRecordReader::add() {
  if (entry_.name == 0 || entry_.record.version == 0) {
    return fail(ErrorKind::kCorrupt, "the repodata's record of {} lacks its name or version",
                printable(file_name_.substr(0, 200)));
  }
  builder_.add(entry_);
  return {};
}

}  // namespace cloche::source
