#include "workspace/bundle.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "definition/definition_json.h"
#include "definition/fingerprint.h"
#include "io/descriptor.h"
#include "io/file.h"
#include "io/temporary.h"
#include "lock/cloche_lock.h"
#include "workspace/tar_header.h"

namespace cloche::workspace {
namespace {

constexpr std::string_view kFormatName = "cloche-environment";
constexpr std::int64_t kFormatVersion = 1;
constexpr std::string_view kMainMember = "environment.json";
constexpr std::string_view kBlobPrefix = "blobs/sha256/";
constexpr std::size_t kMaxMainBytes = std::size_t{8} << 20U;
constexpr std::size_t kChunkBytes = std::size_t{128} << 10U;

using definition::ContextFile;
using Needed = std::map<Digest, std::uint64_t>;  // blobs and their sizes, each once

Needed blobs_of(const definition::Environment& environment) {
  Needed out;
  if (const auto* context =
          std::get_if<definition::BuildContextBase>(&environment.definition.base)) {
    for (const ContextFile& file : context->files) {
      if (file.kind == FileKind::kFile) {
        out.emplace(file.digest, file.size_bytes);
      }
    }
  }
  return out;
}

// ---- writing

Json json_of(const std::vector<lock::Lock>& locks) {
  Json out = Json::array();
  for (const lock::Lock& one : locks) {
    out.push(Json::object()
                 .set("digest", lock::digest_of(one).to_string())
                 .set("text", lock::write_cloche_lock(one)));
  }
  return out;
}

std::string main_document(const Bundle& bundle) {
  Json content = definition::to_json(bundle.environment);
  const std::string digest = Digest::of(content.canonical()).to_string();
  Json document = Json::object()
                      .set("format", kFormatName)
                      .set("format_version", kFormatVersion)
                      .set("digest", digest)
                      .set("environment", std::move(content));
  if (!bundle.locks.empty()) {
    document.set("locks", json_of(bundle.locks));
  }
  return document.dump(2) + "\n";
}

Status write_padding(io::TemporaryFile& out, std::uint64_t size) {
  return out.write(std::string(tar_padding(size), '\0'));
}

Status write_blob(io::TemporaryFile& out, const Digest& digest, std::uint64_t size,
                  const blob::BlobStore& blobs) {
  if (size > kTarMaxSize) {
    return fail(ErrorKind::kUnsupported, "a file of {} bytes does not fit into a saved environment",
                size)
        .with_hint("share the environment through a registry");
  }
  const std::string source = TRY(blobs.path(digest));
  const io::Descriptor in = TRY(io::open_for_reading(source));
  TRY(out.write(encode_tar_header({std::string(kBlobPrefix) + digest.hex(), size})));
  Hasher hasher;
  std::uint64_t written = 0;
  std::string buffer(kChunkBytes, '\0');
  while (const std::size_t count = TRY(io::read_some(in, buffer.data(), buffer.size(), source))) {
    const auto piece = std::string_view(buffer).substr(0, count);
    hasher.update(piece);
    written += count;
    TRY(out.write(piece));
  }
  if (written != size || hasher.finish() != digest) {
    return fail(ErrorKind::kCorrupt, "the stored file {} is damaged", digest.to_string())
        .with_hint("remove " + printable(source) + " and register the context again");
  }
  return write_padding(out, size);
}

// ---- reading

Error no_bundle(std::string_view why) {
  return fail(ErrorKind::kInvalid, "not a saved environment: {}", why)
      .with_hint("`cloche env save` makes one");
}

Error damaged(std::string_view why) {
  return fail(ErrorKind::kCorrupt, "the saved environment is damaged: {}", why)
      .with_hint("get the file again from where it was made");
}

class Reader {
 public:
  Reader(const ReadBytes& read, const blob::BlobStore& blobs) : read_(read), blobs_(blobs) {}

  Result<Bundle> run() {
    const auto first = TRY(next_member());
    if (!first || first->name != kMainMember) {
      return no_bundle(fmt::format("{} does not come first", kMainMember));
    }
    Bundle bundle = TRY(read_main(*first));
    Needed needed = blobs_of(bundle.environment);
    while (const auto member = TRY(next_member())) {
      TRY(read_blob(*member, needed));
    }
    if (!needed.empty()) {
      return damaged(fmt::format("{} files are missing", needed.size()));
    }
    return bundle;
  }

 private:
  Result<std::optional<TarMember>> next_member() {
    std::string block(kTarBlockBytes, '\0');
    const std::size_t count = TRY(read_(block.data(), block.size()));
    if (count != block.size()) {
      return count == 0 && !started_ ? no_bundle("it is empty") : damaged("it ends too early");
    }
    auto member = decode_tar_header(block);
    if (!member) {
      return started_ ? damaged(member.error().message) : no_bundle(member.error().message);
    }
    started_ = true;
    return member;
  }

  Result<std::string> read_exactly(std::size_t size) {
    std::string out(size, '\0');
    if (TRY(read_(out.data(), size)) != size) {
      return damaged("it ends too early");
    }
    return out;
  }

  Result<Bundle> read_main(const TarMember& member) {
    if (member.size_bytes > kMaxMainBytes) {
      return no_bundle(fmt::format("{} is larger than {} bytes", kMainMember, kMaxMainBytes));
    }
    const std::string text = TRY(read_exactly(static_cast<std::size_t>(member.size_bytes)));
    TRY(read_exactly(tar_padding(member.size_bytes)));
    const Json document = TRY(parse_json(text, std::string(kMainMember)));
    const Json& version = document["format_version"];
    if (document.string_or_empty("format") != kFormatName || !version.is_integer()) {
      return no_bundle(fmt::format("{} says something else", kMainMember));
    }
    if (version.as_integer() != kFormatVersion) {
      return fail(ErrorKind::kUnsupported,
                  "the saved environment has format {}; this program reads {}",
                  version.as_integer(), kFormatVersion)
          .with_hint("a newer cloche made it: install that one");
    }
    const Json& content = document["environment"];
    if (Digest::of(content.canonical()).to_string() != document.string_or_empty("digest")) {
      return damaged("the environment does not have the digest that is written beside it");
    }
    definition::Environment environment = TRY(definition::environment_from_json(content));
    if (auto* context = std::get_if<definition::BuildContextBase>(&environment.definition.base)) {
      context->root.clear();
    }
    std::vector<lock::Lock> locks =
        TRY(read_locks(document["locks"], definition::fingerprint(environment.definition)));
    return Bundle{std::move(environment), std::move(locks)};
  }

  static Result<std::vector<lock::Lock>> read_locks(const Json& json,
                                                    std::string_view fingerprint) {
    std::vector<lock::Lock> out;
    if (json.is_null()) {
      return out;
    }
    if (!json.is_array()) {
      return damaged("its locks are no list");
    }
    for (const Json& one : json.items()) {
      Diagnostics ignored;  // keys that a later program of the same format added
      const auto digest = Digest::parse(one.string_or_empty("digest"));
      auto lock = lock::parse_cloche_lock(one.string_or_empty("text"), "", ignored);
      if (!lock && lock.error().kind == ErrorKind::kUnsupported) {
        return std::move(lock).error();
      }
      if (!lock || !digest || lock::digest_of(*lock) != *digest) {
        return damaged("a lock does not have the digest that is written beside it");
      }
      if (lock->fingerprint != fingerprint) {
        return damaged("a lock in it is another definition's");
      }
      out.push_back(std::move(*lock));
    }
    return out;
  }

  Status read_blob(const TarMember& member, Needed& needed) {
    if (!member.name.starts_with(kBlobPrefix)) {
      return damaged(fmt::format("it holds '{}'", printable(member.name)));
    }
    const auto digest = Digest::parse("sha256:" + member.name.substr(kBlobPrefix.size()));
    const auto found = digest ? needed.find(*digest) : needed.end();
    if (found == needed.end() || found->second != member.size_bytes) {
      return damaged(fmt::format("'{}' is no file of its context", printable(member.name)));
    }
    blob::BlobStore::Writer writer = TRY(blobs_.writer());
    std::uint64_t left = member.size_bytes;
    while (left > 0) {
      const std::string piece =
          TRY(read_exactly(static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunkBytes))));
      TRY(writer.append(piece));
      left -= piece.size();
    }
    TRY(read_exactly(tar_padding(member.size_bytes)));
    TRY(std::move(writer).commit(found->first));
    needed.erase(found);
    return {};
  }

  const ReadBytes& read_;
  const blob::BlobStore& blobs_;
  bool started_ = false;
};

}  // namespace

Status write_bundle(const Bundle& bundle, const blob::BlobStore& blobs, const std::string& path) {
  const definition::Environment& environment = bundle.environment;
  const std::string main = main_document(bundle);
  if (main.size() > kMaxMainBytes) {
    return fail(ErrorKind::kUnsupported,
                "the build context has too many files, or the locks too many packages, to be saved")
        .with_hint("leave files out with .dockerignore, or share it through a registry");
  }
  TRY(io::make_directories(parent_path(path)));
  io::TemporaryFile out = TRY(io::TemporaryFile::create(parent_path(path)));
  TRY(out.write(encode_tar_header({std::string(kMainMember), main.size()})));
  TRY(out.write(main));
  TRY(write_padding(out, main.size()));
  for (const auto& [digest, size] : blobs_of(environment)) {
    TRY(write_blob(out, digest, size, blobs).context("saving {}", environment.name));
  }
  TRY(out.write(std::string(2 * kTarBlockBytes, '\0')));
  return std::move(out).rename_to(path);
}

Result<Bundle> read_bundle(const ReadBytes& read, const blob::BlobStore& blobs) {
  return Reader(read, blobs).run();
}

Result<Bundle> read_bundle_file(const std::string& path, const blob::BlobStore& blobs) {
  const io::Descriptor file = TRY(io::open_for_reading(path));
  return read_bundle([&](char* buffer,
                         std::size_t size) { return io::read_some(file, buffer, size, path); },
                     blobs)
      .context("in {}", printable(path));
}

}  // namespace cloche::workspace
