// Hashes of content.
#pragma once

#include <compare>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche {

// A sha256 in OCI's notation, "sha256:" and 64 lower-case hex digits (OCI image spec, "Digests").
class Digest {
 public:
  Digest() = default;

  // kInvalid: anything but the exact form. A digest is used in paths, so nothing else gets through.
  static Result<Digest> parse(std::string_view text);
  static Digest of(std::string_view bytes);

  const std::string& hex() const { return hex_; }  // 64 digits
  std::string to_string() const { return "sha256:" + hex_; }
  bool empty() const { return hex_.empty(); }

  auto operator<=>(const Digest&) const = default;

 private:
  friend class Hasher;
  explicit Digest(std::string hex) : hex_(std::move(hex)) {}
  std::string hex_;
};

// A running hash. Not shared between threads.
class Hasher {
 public:
  enum class Algorithm { kSha256, kMd5 };  // md5 only where Azure's own rules ask for it

  explicit Hasher(Algorithm algorithm = Algorithm::kSha256);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::string_view bytes);

  // Ends the hash; call one of them, once.
  std::string finish_hex();
  Digest finish();  // sha256 only

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cloche
