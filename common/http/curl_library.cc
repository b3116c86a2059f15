// SPDX-License-Identifier: MIT
#include "common/http/curl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <type_traits>

namespace ha {

namespace {

CurlLibrary library = {};

Result<Done> load_library() {
  void* const handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return Error{Errc::kInternal, dlerror()};
  const char* missing = nullptr;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(handle, name));
    if (function == nullptr) missing = name;
  };
  find(library.global_init, "curl_global_init");
  find(library.easy_init, "curl_easy_init");
  find(library.easy_setopt, "curl_easy_setopt");
  find(library.easy_perform, "curl_easy_perform");
  find(library.easy_getinfo, "curl_easy_getinfo");
  find(library.easy_strerror, "curl_easy_strerror");
  find(library.easy_cleanup, "curl_easy_cleanup");
  find(library.slist_append, "curl_slist_append");
  find(library.slist_free_all, "curl_slist_free_all");
  find(library.url, "curl_url");
  find(library.url_get, "curl_url_get");
  find(library.url_set, "curl_url_set");
  find(library.url_cleanup, "curl_url_cleanup");
  find(library.free, "curl_free");
  if (missing != nullptr)
    return Error{Errc::kInternal, fmt::format("libcurl.so.4 has no {}", missing)};
  const CURLcode ready = library.global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) return Error{Errc::kInternal, library.easy_strerror(ready)};
  return Done{};
}

}  // namespace

Result<Done> load_curl() {
  static const Result<Done> loaded = load_library();
  return loaded;
}

const CurlLibrary& curl() { return library; }

}  // namespace ha
