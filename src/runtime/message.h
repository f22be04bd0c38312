// What processes of this module tell each other over a socket: a text, and maybe a descriptor.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "io/descriptor.h"

namespace cloche::runtime {

struct Message {
  std::string text;  // "": the other end is closed
  io::Descriptor descriptor;
};

// Lost when nobody listens.
void send_message(int socket, std::string_view text, int descriptor = -1);

// Waits for one. kUnavailable.
Result<Message> receive_message(int socket);

// An error as such a text, and back.
std::string error_text(const Error& error);
Error error_of(const std::string& text);

}  // namespace cloche::runtime
