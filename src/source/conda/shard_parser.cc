// One shard (CEP 16): the records of one package name, in msgpack.
#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "source/conda/channel_url.h"
#include "source/conda/msgpack.h"
#include "source/conda/sharded_index.h"

namespace cloche::source {
namespace {

using conda::Noarch;
using conda::PackageRecord;
using Type = MsgpackReader::Type;

// Seconds below this, milliseconds from there on (conda: conda/models/records.py, TimestampField).
constexpr std::int64_t kMaxSeconds = 253'402'300'799;
constexpr std::size_t kMaxNameBytes = 255;

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// Hashes are bytes in shards, and hex digits where a tool forgot to convert them.
Result<std::string> read_hash(MsgpackReader& reader, std::size_t digits) {
  const Type type = TRY(reader.type());
  if (type == Type::kBinary) {
    std::string out = to_hex(TRY(reader.read_binary()));
    if (out.size() != digits) {
      return fail(ErrorKind::kCorrupt, "a hash has {} bytes, not {}", out.size() / 2, digits / 2);
    }
    return out;
  }
  if (type == Type::kString) {
    const std::string_view text = TRY(reader.read_string());
    if (!is_hex(text, digits)) {
      return fail(ErrorKind::kCorrupt, "a hash is no {} hex digits", digits);
    }
    return to_lower(text);
  }
  TRY(reader.skip());
  return std::string();
}

Result<std::string> read_text(MsgpackReader& reader) {
  if (TRY(reader.type()) != Type::kString) {
    TRY(reader.skip());
    return std::string();
  }
  return std::string(TRY(reader.read_string()));
}

Result<std::vector<std::string>> read_texts(MsgpackReader& reader) {
  std::vector<std::string> out;
  const Type type = TRY(reader.type());
  if (type == Type::kString) {  // track_features and features may be one text, with blanks
    const std::string joined = collapse_blanks(TRY(reader.read_string()));
    for (const std::string_view one : split(joined, ' ')) {
      if (!one.empty()) {
        out.emplace_back(one);
      }
    }
    return out;
  }
  if (type == Type::kNil) {
    TRY(reader.read_nil());
    return out;
  }
  const std::size_t count = TRY(reader.read_array());
  for (std::size_t i = 0; i < count; ++i) {
    out.emplace_back(TRY(reader.read_string()));
  }
  return out;
}

Result<std::int64_t> read_number(MsgpackReader& reader) {
  if (TRY(reader.type()) == Type::kInteger) {
    return reader.read_integer();
  }
  TRY(reader.skip());
  return 0;
}

Result<Noarch> read_noarch(MsgpackReader& reader) {
  const Type type = TRY(reader.type());
  if (type == Type::kBool) {  // before there were kinds, true meant generic
    return TRY(reader.read_bool()) ? Noarch::kGeneric : Noarch::kNone;
  }
  if (type != Type::kString) {
    TRY(reader.skip());
    return Noarch::kNone;
  }
  const std::string_view text = TRY(reader.read_string());
  return text == "python" ? Noarch::kPython : text == "generic" ? Noarch::kGeneric : Noarch::kNone;
}

Status read_extras(MsgpackReader& reader, PackageRecord& record) {
  if (TRY(reader.type()) != Type::kMap) {
    return reader.skip();
  }
  const std::size_t count = TRY(reader.read_map());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name(TRY(reader.read_string()));
    record.extra_depends[name] = TRY(read_texts(reader));
  }
  return {};
}

struct Field {
  std::string_view name;
  Status (*read)(MsgpackReader&, PackageRecord&);
};

template <std::string PackageRecord::* member>
Status text(MsgpackReader& reader, PackageRecord& record) {
  record.*member = TRY(read_text(reader));
  return {};
}

template <std::vector<std::string> PackageRecord::* member>
Status texts(MsgpackReader& reader, PackageRecord& record) {
  record.*member = TRY(read_texts(reader));
  return {};
}

constexpr std::array<Field, 18> kFields{{
    {"name", text<&PackageRecord::name>},
    {"version", text<&PackageRecord::version>},
    {"build", text<&PackageRecord::build>},
    {"subdir", text<&PackageRecord::subdir>},
    {"license", text<&PackageRecord::license>},
    {"license_family", text<&PackageRecord::license_family>},
    {"python_site_packages_path", text<&PackageRecord::python_site_packages_path>},
    {"depends", texts<&PackageRecord::depends>},
    {"constrains", texts<&PackageRecord::constrains>},
    {"track_features", texts<&PackageRecord::track_features>},
    {"flags", texts<&PackageRecord::flags>},
    {"extra_depends", read_extras},
    {"build_number",
     [](MsgpackReader& reader, PackageRecord& record) -> Status {
       record.build_number = TRY(read_number(reader));
       return {};
     }},
    {"size",
     [](MsgpackReader& reader, PackageRecord& record) -> Status {
       record.size_bytes =
           static_cast<std::uint64_t>(std::max<std::int64_t>(0, TRY(read_number(reader))));
       return {};
     }},
    {"timestamp",
     [](MsgpackReader& reader, PackageRecord& record) -> Status {
       const std::int64_t value = std::max<std::int64_t>(0, TRY(read_number(reader)));
       record.timestamp_ms = value > kMaxSeconds ? value : value * 1000;
       return {};
     }},
    {"noarch",
     [](MsgpackReader& reader, PackageRecord& record) -> Status {
       record.noarch = TRY(read_noarch(reader));
       return {};
     }},
    {"md5",
     [](MsgpackReader& reader, PackageRecord& record) -> Status {
       record.md5 = TRY(read_hash(reader, 32));
       return {};
     }},
    {"sha256",
     [](MsgpackReader& reader, PackageRecord& record) -> Status {
       record.sha256 = TRY(read_hash(reader, 64));
       return {};
     }},
}};

// A file's name becomes a path: one that leads elsewhere is refused.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && !name.starts_with('.') &&
         std::ranges::none_of(name, [](char c) {
           return c == '/' || c == '\\' || static_cast<unsigned char>(c) <= ' ' || c == 0x7F;
         });
}

class ShardParser {
 public:
  ShardParser(std::string_view bytes, const Channel& channel, std::string_view subdir,
              std::string_view base_url)
      : reader_(bytes), channel_(channel), subdir_(subdir), base_url_(base_url) {}

  Result<std::vector<PackageRecord>> parse() {
    const std::size_t count = TRY(reader_.read_map());
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view key = TRY(reader_.read_string());
      if (key == "packages") {
        TRY(read_packages(""));
      } else if (key == "packages.conda") {
        TRY(read_packages(""));
      } else if (key == "v3") {
        TRY(read_v3());
      } else {
        TRY(reader_.skip());
      }
    }
    if (!reader_.at_end()) {
      return fail(ErrorKind::kCorrupt, "there is more data behind the shard's end");
    }
    std::vector<PackageRecord> out;
    out.reserve(records_.size());
    for (auto& [name, record] : records_) {
      out.push_back(std::move(record));
    }
    return out;
  }

 private:
  // CEP 48: by extension, with file names that lack it.
  Status read_v3() {
    if (TRY(reader_.type()) != Type::kMap) {
      return reader_.skip();
    }
    const std::size_t count = TRY(reader_.read_map());
    for (std::size_t i = 0; i < count; ++i) {
      const std::string extension = "." + std::string(TRY(reader_.read_string()));
      if (extension == ".conda" || extension == ".tar.bz2") {
        TRY(read_packages(extension));
      } else {
        TRY(reader_.skip());
      }
    }
    return {};
  }

  Status read_packages(const std::string& extension) {
    if (TRY(reader_.type()) != Type::kMap) {
      return reader_.skip();
    }
    const std::size_t count = TRY(reader_.read_map());
    for (std::size_t i = 0; i < count; ++i) {
      const std::string file_name = std::string(TRY(reader_.read_string())) + extension;
      TRY(read_record(file_name).context("in the record of {}", printable(file_name)));
    }
    return {};
  }

  Status read_record(const std::string& file_name) {
    PackageRecord record;
    const std::size_t count = TRY(reader_.read_map());
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view key = TRY(reader_.read_string());
      const auto* const field = std::ranges::find(kFields, key, &Field::name);
      TRY(field == kFields.end() ? reader_.skip() : field->read(reader_, record));
    }
    if (!is_plain_name(file_name)) {
      return fail(ErrorKind::kCorrupt, "the file's name is none");
    }
    if (record.name.empty() || record.version.empty()) {
      return fail(ErrorKind::kCorrupt, "it has no name or no version");
    }
    record.channel = channel_.url;
    record.subdir = record.subdir.empty() ? std::string(subdir_) : record.subdir;
    record.file_name = file_name;
    record.url = std::string(base_url_) + file_name;
    keep(std::move(record));
    return {};
  }

  // CEP 36: of one distribution in both formats, the .conda counts.
  void keep(PackageRecord record) {
    const std::string key = distribution_name(record);
    const auto found = records_.find(key);
    if (found == records_.end() || record.file_name.ends_with(".conda") ||
        !found->second.file_name.ends_with(".conda")) {
      records_[key] = std::move(record);
    }
  }

  MsgpackReader reader_;
  const Channel& channel_;
  std::string_view subdir_;
  std::string_view base_url_;
  std::map<std::string, PackageRecord> records_;
};

}  // namespace

Result<std::vector<PackageRecord>> parse_shard(std::string_view bytes, const Channel& channel,
                                               std::string_view subdir, std::string_view base_url) {
  return ShardParser(bytes, channel, subdir, base_url).parse();
}

}  // namespace cloche::source
