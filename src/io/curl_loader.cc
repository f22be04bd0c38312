// libcurl, loaded at the first call of one of its functions.
//
// It brings thirty more libraries (Kerberos, LDAP, SSH, ...), and loading them takes longer than
// most commands: 2.9 of the 4.3 ms of `cloche --version`. So the program is not linked with it. The
// functions here have the names and types that curl/curl.h declares and pass each call on. Where
// libcurl.so.4 is missing they fail as libcurl does when memory is short.
#include "io/curl_loader.h"

#include <cstdarg>

#include <curl/curl.h>
#include <dlfcn.h>

// curl/curl.h makes macros of some, to check their arguments.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

namespace {

constexpr const char* kName = "libcurl.so.4";

void* curl_library() {
  static void* const kHandle = dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  return kHandle;
}

template <class Function>
Function* find(const char* name) {
  void* const library = curl_library();
  return library == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(library, name));
}

}  // namespace

// A function that takes `parameters` and passes `arguments` on; `missing` is its value without
// libcurl.
#define CLOCHE_CURL_FUNCTION(result, name, parameters, arguments, missing) \
  result name parameters {                                                 \
    static auto* const real = find<result parameters>(#name);              \
    return real == nullptr ? (missing) : real arguments;                   \
  }

// The last named parameter is an enumeration, as curl/curl.h has it; its promotion changes nothing.
#ifdef __clang__
#pragma clang diagnostic ignored "-Wvarargs"
#endif

// One whose last argument is any of long, pointer and curl_off_t: on the 64-bit Linux that this
// program is for, all three are passed alike.
#define CLOCHE_CURL_OPTION(result, name, handle_type, handle, option_type, option, missing) \
  result name(handle_type handle, option_type option, ...) {                                \
    static auto* const real = find<result(handle_type, option_type, ...)>(#name);           \
    std::va_list list;                                                                      \
    va_start(list, option);                                                                 \
    void* const value = va_arg(list, void*);                                                \
    va_end(list);                                                                           \
    return real == nullptr ? (missing) : real(handle, option, value);                       \
  }

static_assert(sizeof(void*) == sizeof(long) && sizeof(void*) == sizeof(curl_off_t));

extern "C" {

CLOCHE_CURL_FUNCTION(CURLcode, curl_global_init, (long flags), (flags), CURLE_FAILED_INIT)
CLOCHE_CURL_FUNCTION(CURL*, curl_easy_init, (), (), nullptr)
CLOCHE_CURL_FUNCTION(void, curl_easy_reset, (CURL * curl), (curl), void())
CLOCHE_CURL_FUNCTION(void, curl_easy_cleanup, (CURL * curl), (curl), void())
CLOCHE_CURL_FUNCTION(const char*, curl_easy_strerror, (CURLcode code), (code), "libcurl is missing")
CLOCHE_CURL_OPTION(CURLcode, curl_easy_setopt, CURL*, curl, CURLoption, option, CURLE_FAILED_INIT)
CLOCHE_CURL_OPTION(CURLcode, curl_easy_getinfo, CURL*, curl, CURLINFO, info, CURLE_FAILED_INIT)

CLOCHE_CURL_FUNCTION(CURLM*, curl_multi_init, (), (), nullptr)
CLOCHE_CURL_FUNCTION(CURLMcode, curl_multi_cleanup, (CURLM * multi_handle), (multi_handle),
                     CURLM_BAD_HANDLE)
CLOCHE_CURL_FUNCTION(CURLMcode, curl_multi_add_handle, (CURLM * multi_handle, CURL* curl_handle),
                     (multi_handle, curl_handle), CURLM_BAD_HANDLE)
CLOCHE_CURL_FUNCTION(CURLMcode, curl_multi_remove_handle, (CURLM * multi_handle, CURL* curl_handle),
                     (multi_handle, curl_handle), CURLM_BAD_HANDLE)
CLOCHE_CURL_FUNCTION(CURLMcode, curl_multi_perform, (CURLM * multi_handle, int* running_handles),
                     (multi_handle, running_handles), CURLM_BAD_HANDLE)
CLOCHE_CURL_FUNCTION(CURLMcode, curl_multi_poll,
                     (CURLM * multi_handle, curl_waitfd* extra_fds, unsigned extra_nfds,
                      int timeout_ms, int* ret),
                     (multi_handle, extra_fds, extra_nfds, timeout_ms, ret), CURLM_BAD_HANDLE)
CLOCHE_CURL_FUNCTION(CURLMcode, curl_multi_wakeup, (CURLM * multi_handle), (multi_handle),
                     CURLM_BAD_HANDLE)
CLOCHE_CURL_FUNCTION(CURLMsg*, curl_multi_info_read, (CURLM * multi_handle, int* msgs_in_queue),
                     (multi_handle, msgs_in_queue), nullptr)
CLOCHE_CURL_FUNCTION(const char*, curl_multi_strerror, (CURLMcode code), (code),
                     "libcurl is missing")
CLOCHE_CURL_OPTION(CURLMcode, curl_multi_setopt, CURLM*, multi_handle, CURLMoption, option,
                   CURLM_BAD_HANDLE)

CLOCHE_CURL_FUNCTION(curl_slist*, curl_slist_append, (curl_slist * list, const char* data),
                     (list, data), nullptr)
CLOCHE_CURL_FUNCTION(void, curl_slist_free_all, (curl_slist * list), (list), void())

}  // extern "C"

namespace cloche::io {

Status load_curl() {
  if (curl_library() == nullptr) {
    return fail(ErrorKind::kUnavailable,
                "{} is not installed, and nothing is downloaded without it", kName)
        .with_hint("install libcurl4 (Debian, Ubuntu) or libcurl (Fedora)");
  }
  return {};
}

}  // namespace cloche::io
