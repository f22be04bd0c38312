#include "source/debian/signature.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/encoding.h"
#include "core/text.h"
#include "io/file.h"
#include "io/process.h"
#include "io/temporary.h"
#include "package/debian/paragraph.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxKeyringBytes = std::size_t{4} << 20U;
constexpr std::string_view kSigned = "-----BEGIN PGP SIGNED MESSAGE-----";
constexpr std::string_view kSignature = "-----BEGIN PGP SIGNATURE-----";
constexpr std::string_view kEnd = "-----END PGP SIGNATURE-----";

// RFC 4880, section 6: base64 between armour lines, behind an empty line, before a checksum.
Result<std::string> dearmoured(std::string_view text) {
  std::string out;
  std::string base64;
  enum class At { kOutside, kHeaders, kData } at = At::kOutside;
  for (const std::string_view raw : split_lines(text)) {
    const std::string_view line = trim(raw);
    if (line.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK")) {
      at = At::kHeaders;
      base64.clear();
    } else if (line.starts_with("-----END PGP PUBLIC KEY BLOCK")) {
      const auto bytes = from_base64(base64);
      if (at != At::kData || !bytes) {
        return fail(ErrorKind::kCorrupt, "the armoured key cannot be read");
      }
      out += *bytes;
      at = At::kOutside;
    } else if (at == At::kHeaders && line.empty()) {
      at = At::kData;
    } else if (at == At::kData && !line.starts_with('=')) {
      base64 += line;
    }
  }
  if (out.empty() || at != At::kOutside) {
    return fail(ErrorKind::kCorrupt, "the armoured key cannot be read");
  }
  return out;
}

Status append_keyring(const std::string& path, FileSource& files, std::string& out) {
  const std::string text = TRY(files.read(path, kMaxKeyringBytes));
  const bool armoured = trim_left(text).starts_with("-----BEGIN PGP PUBLIC KEY BLOCK");
  out += armoured ? TRY(dearmoured(text).context("in {}", path)) : text;
  return {};
}

Status append_all(const std::string& directory, std::string_view ending, FileSource& files,
                  std::string& out) {
  const auto entries = files.list(directory);
  if (!entries) {
    return {};
  }
  for (const FileEntry& entry : *entries) {
    if (entry.name.ends_with(ending)) {
      TRY(append_keyring(directory + "/" + entry.name, files, out));
    }
  }
  return {};
}

// --- gpgv's answers (GnuPG's doc/DETAILS, "Format of the --status-fd output")

struct Verdict {
  bool good = false;
  std::string reason;  // of what is not good
};

// MD5, SHA-1, RIPE-MD160: no proof any more.
bool is_weak(std::string_view algorithm) {
  return algorithm == "1" || algorithm == "2" || algorithm == "3";
}

class Verdicts {
 public:
  explicit Verdicts(const TrustedKeys& keys) : keys_(keys) {}

  Status judge(std::string_view status) {
    for (const std::string_view line : split_lines(status)) {
      constexpr std::string_view kStart = "[GNUPG:] ";
      if (line.starts_with(kStart)) {
        take(debian::value_words(line.substr(kStart.size())));
      }
    }
    if (!bad_.empty()) {
      return fail(ErrorKind::kPermission, "the signature by key {} is wrong: the file was changed",
                  bad_)
          .with_hint("a mirror or proxy serves something else than the archive: try another");
    }
    if (good_) {
      return {};
    }
    return fail(ErrorKind::kPermission, "no trusted key signed it{}",
                reason_.empty() ? std::string() : ": " + reason_)
        .with_hint(
            "install the archive's keyring (Debian: debian-archive-keyring) or name it with "
            "Signed-By");
  }

 private:
  void take(const std::vector<std::string_view>& words) {
    if (words.empty()) {
      return;
    }
    const std::string_view what = words[0];
    const std::string key = words.size() > 1 ? printable(words[1]) : "";
    if (what == "NEWSIG") {
      current_good_ = false;
    } else if (what == "GOODSIG") {
      current_good_ = true;
    } else if (what == "BADSIG") {
      bad_ = key;
    } else if (what == "EXPKEYSIG") {
      reason_ = fmt::format("the key {} has expired", key);
    } else if (what == "EXPSIG") {
      reason_ = fmt::format("the signature by key {} has expired", key);
    } else if (what == "REVKEYSIG") {
      reason_ = fmt::format("the key {} was revoked", key);
    } else if (what == "NO_PUBKEY" && reason_.empty()) {
      reason_ = fmt::format("the key {} is not among them", key);
    } else if (what == "VALIDSIG") {
      take_valid(words);
    }
  }

  // VALIDSIG fingerprint date time expires version - algorithm hash class primary
  void take_valid(const std::vector<std::string_view>& words) {
    constexpr std::size_t kHash = 8;
    constexpr std::size_t kPrimary = 10;
    if (!current_good_ || words.size() <= kHash) {
      return;
    }
    const std::string_view primary = words.size() > kPrimary ? words[kPrimary] : words[1];
    if (is_weak(words[kHash])) {
      reason_ = fmt::format("the signature by key {} has a weak hash", printable(words[1]));
    } else if (!is_wanted(words[1]) && !is_wanted(primary)) {
      reason_ = fmt::format("the key {} is not the one of Signed-By", printable(words[1]));
    } else {
      good_ = true;
    }
  }

  bool is_wanted(std::string_view fingerprint) const {
    return keys_.fingerprints.empty() ||
           std::ranges::any_of(keys_.fingerprints, [&](const std::string& one) {
             return one.size() >= 16 && fingerprint.ends_with(one);
           });
  }

  const TrustedKeys& keys_;
  bool current_good_ = false;
  bool good_ = false;
  std::string bad_;
  std::string reason_;
};

Result<std::string> run_gpgv(std::string_view content, std::string_view signature,
                             const TrustedKeys& keys, const std::stop_token& stop) {
  const io::TemporaryDirectory place = TRY(io::TemporaryDirectory::create());
  const std::string keyring = place.path() + "/keys.gpg";
  const std::string file = place.path() + "/file";
  TRY(io::write_file_atomically(keyring, keys.keyring));
  TRY(io::write_file_atomically(file, content));
  io::Command command;
  command.argv = {"gpgv", "--status-fd", "2", "--keyring", keyring};
  if (signature.empty()) {
    command.argv.insert(command.argv.end(), {"--output", "-", file});
  } else {
    TRY(io::write_file_atomically(file + ".gpg", signature));
    command.argv.insert(command.argv.end(), {file + ".gpg", file});
  }
  command.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=" + place.path(),
                         "GNUPGHOME=" + place.path()};
  auto result = io::run_process(command, stop);
  if (!result && result.error().kind == ErrorKind::kNotFound) {
    return fail(ErrorKind::kNotFound,
                "gpgv is not installed, and without it no signature can be "
                "verified")
        .with_hint("install the package gpgv");
  }
  const io::ProcessResult ended = TRY(std::move(result));
  TRY(Verdicts(keys).judge(ended.errors));
  if (ended.cut_off) {
    return fail(ErrorKind::kCorrupt, "the signed file is too large");
  }
  return ended.output;
}

// One message and nothing around it: what is not signed must not be read.
Status check_shape(std::string_view text) {
  const std::size_t signature = text.find(fmt::format("\n{}\n", kSignature));
  const std::size_t end = text.find(fmt::format("\n{}", kEnd));
  const bool one = text.starts_with(fmt::format("{}\n", kSigned)) &&
                   text.find(kSigned, 1) == std::string_view::npos &&
                   signature != std::string_view::npos && end != std::string_view::npos &&
                   signature < end && trim(text.substr(end + 1 + kEnd.size())).empty();
  return one ? Status()
             : Status(fail(ErrorKind::kCorrupt, "it is no clear-signed message")
                          .with_hint("something else than an archive answers at this address"));
}

}  // namespace

std::string TrustedKeys::identity() const {
  return Digest::of(keyring + "\n" + join(fingerprints, " ")).hex();
}

Result<TrustedKeys> trusted_keys(const AptSource& source, FileSource& files,
                                 const std::string& root) {
  TrustedKeys out;
  out.fingerprints = source.fingerprints;
  for (const std::string& path : source.keyrings) {
    auto read = append_keyring(root + path, files, out.keyring);
    if (!read && read.error().kind == ErrorKind::kNotFound) {
      return fail(ErrorKind::kNotFound, "there is no keyring {}", printable(path))
          .with_location(source.at)
          .with_hint("install the package that has it (Debian: debian-archive-keyring)");
    }
    TRY(std::move(read));
  }
  if (!source.key_block.empty()) {
    out.keyring += TRY(dearmoured(source.key_block));
  }
  if (!out.keyring.empty()) {
    return out;
  }
  if (files.kind(root + "/etc/apt/trusted.gpg")) {
    TRY(append_keyring(root + "/etc/apt/trusted.gpg", files, out.keyring));
  }
  TRY(append_all(root + "/etc/apt/trusted.gpg.d", ".gpg", files, out.keyring));
  TRY(append_all(root + "/etc/apt/trusted.gpg.d", ".asc", files, out.keyring));
  if (out.keyring.empty()) {
    TRY(append_all(root + "/usr/share/keyrings", "-archive-keyring.gpg", files, out.keyring));
  }
  return out;
}

Result<std::string> signed_text(std::string_view in_release, const TrustedKeys& keys,
                                const std::stop_token& stop) {
  TRY(check_shape(in_release));
  return run_gpgv(in_release, "", keys, stop);
}

// RFC 4880, section 7: headers, an empty line, the text with "- " before lines that begin so.
Result<std::string> text_within(std::string_view in_release) {
  TRY(check_shape(in_release));
  std::string out;
  bool in_text = false;
  for (const std::string_view line : split_lines(in_release)) {
    if (line == kSignature) {
      break;
    }
    if (in_text) {
      out += line.starts_with("- ") ? line.substr(2) : line;
      out += '\n';
    }
    in_text = in_text || line.empty();
  }
  return out;
}

Status check_signature(std::string_view release, std::string_view signature,
                       const TrustedKeys& keys, const std::stop_token& stop) {
  TRY(run_gpgv(release, signature, keys, stop));
  return {};
}

}  // namespace cloche::source
