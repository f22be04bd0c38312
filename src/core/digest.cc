#include "core/digest.h"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/evp.h>

#include "core/check.h"

namespace cloche {

struct Hasher::State {
  struct Free {
    void operator()(EVP_MD_CTX* raw) const { EVP_MD_CTX_free(raw); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
  Algorithm used = Algorithm::kSha256;
};

namespace {

// OpenSSL 3 looks an algorithm up in its providers each time that it is named: longer than hashing
// a small file takes. Fetched once, for the life of the program.
const EVP_MD* algorithm_of(Hasher::Algorithm algorithm) {
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const kMd5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  return algorithm == Hasher::Algorithm::kSha256 ? kSha256 : kMd5;
}

}  // namespace

Hasher::Hasher(Algorithm algorithm) : state_(std::make_unique<State>()) {
  state_->used = algorithm;
  const EVP_MD* md = algorithm_of(algorithm);
  CHECK(EVP_DigestInit_ex(state_->context.get(), md, nullptr) == 1);
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

std::string Hasher::finish_hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned size = 0;
  CHECK(EVP_DigestFinal_ex(state_->context.get(), raw.data(), &size) == 1);
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string hex;
  hex.reserve(std::size_t{2} * size);
  for (unsigned i = 0; i < size; ++i) {
    hex += kHex[raw.at(i) >> 4U];
    hex += kHex[raw.at(i) & 15U];
  }
  return hex;
}

Digest Hasher::finish() {
  CHECK(state_->used == Algorithm::kSha256);
  return Digest(finish_hex());
}

Digest Digest::of(std::string_view bytes) {
  Hasher hasher;
  hasher.update(bytes);
  return hasher.finish();
}

Result<Digest> Digest::parse(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  const bool hex = text.size() == kPrefix.size() + 64 && text.starts_with(kPrefix) &&
                   std::ranges::all_of(text.substr(kPrefix.size()), [](char c) {
                     return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                   });
  if (!hex) {
    return fail(ErrorKind::kInvalid, "'{}' is not a digest", text.substr(0, 80))
        .with_hint("a digest is sha256: and 64 lower-case hex digits");
  }
  return Digest(std::string(text.substr(kPrefix.size())));
}

}  // namespace cloche
