// Whether a suite's InRelease is signed by keys that are trusted, asked of gpgv (Debian's package
// of that name), as apt does.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "source/debian/apt_sources.h"

namespace cloche::source {

// Keys that may sign.
struct TrustedKeys {
  std::string keyring;                    // binary OpenPGP keys, one after the other
  std::vector<std::string> fingerprints;  // when not empty, only these of them, upper-case hex

  // Which keys these are: a change of it voids what was verified with others.
  std::string identity() const;
};

// Of the source's Signed-By; without one, of /etc/apt/trusted.gpg, /etc/apt/trusted.gpg.d and,
// where these are empty, /usr/share/keyrings/*-archive-keyring.gpg. Armoured keyrings are read too.
// kNotFound: a keyring that is not there; kCorrupt: armour that is none.
Result<TrustedKeys> trusted_keys(const AptSource& source, FileSource& files,
                                 const std::string& root = "");

// The text that was signed. kPermission: no good signature by a trusted key, a bad one, or one that
// is expired, revoked or made with a weak hash: the message says which. kCorrupt: no clear-signed
// message, or more than one. kNotFound: gpgv is not installed. kCancelled.
Result<std::string> signed_text(std::string_view in_release, const TrustedKeys& keys,
                                const std::stop_token& stop);

// The text of a clear-signed message whose signature nobody looks at: of a source that is trusted
// anyway. kCorrupt as above.
Result<std::string> text_within(std::string_view in_release);

// The same of a Release with its signature in a file of its own, Release.gpg.
Status check_signature(std::string_view release, std::string_view signature,
                       const TrustedKeys& keys, const std::stop_token& stop);

}  // namespace cloche::source
