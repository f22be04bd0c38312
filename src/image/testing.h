// A real registry on this machine for one test.
#pragma once

#include <memory>
#include <string>

#include <sys/types.h>

#include "io/temporary.h"

namespace cloche::image {

// Debian's docker-registry on a free port of 127.0.0.1, ended with this object.
class LocalRegistry {
 public:
  struct Options {
    bool tls = false;       // signed by itself: certificate()
    bool htpasswd = false;  // user "someone", password "secret word"
  };

  // Nothing where docker-registry (or openssl, htpasswd, where asked for) is not installed.
  static std::unique_ptr<LocalRegistry> start(const Options& options);
  static std::unique_ptr<LocalRegistry> start() { return start(Options()); }
  ~LocalRegistry();
  LocalRegistry(const LocalRegistry&) = delete;
  LocalRegistry& operator=(const LocalRegistry&) = delete;

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string certificate() const { return directory_.path() + "/cert.pem"; }
  // Where it keeps the blobs.
  std::string storage() const { return directory_.path() + "/storage"; }

 private:
  LocalRegistry();

  io::TemporaryDirectory directory_;
  int port_ = 0;
  pid_t process_ = -1;
};

}  // namespace cloche::image
