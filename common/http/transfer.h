// SPDX-License-Identifier: MIT
// What every transfer by libcurl has in common here, whatever its protocol. For the .cc files of
// this folder only.

#pragma once

#include <curl/curl.h>

#include <string>
#include <type_traits>

#include "common/deadline.h"
#include "common/http/credentials.h"
#include "common/result.h"

namespace ha {

// The functions of libcurl that we use. They are not linked: with all the libraries that it needs
// itself, loading it takes longer than anything else at the start of a handler, and most runs
// transfer nothing.
struct CurlLibrary {
  decltype(&curl_global_init) global_init;
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_perform) easy_perform;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;
  decltype(&curl_url) url;
  decltype(&curl_url_get) url_get;
  decltype(&curl_url_set) url_set;
  decltype(&curl_url_cleanup) url_cleanup;
  decltype(&curl_free) free;
};

// Loads it, once. Fails with kInternal.
Result<Done> load_curl();

// Only after load_curl() has succeeded, as everything below.
const CurlLibrary& curl();

// A list of strings as curl wants them.
class CurlList {
 public:
  CurlList() = default;
  ~CurlList() { curl().slist_free_all(list_); }
  CurlList(const CurlList&) = delete;
  CurlList& operator=(const CurlList&) = delete;

  void add(const std::string& text) { list_ = curl().slist_append(list_, text.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// One transfer: certificates verified, no signals, no proxy, no .netrc.
class CurlTransfer {
 public:
  CurlTransfer();
  ~CurlTransfer() { curl().easy_cleanup(handle_); }
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  // `value` has the type that curl's manual says, a long or a pointer.
  template <class Value>
  void set(CURLoption option, Value value) {
    static_assert(std::is_same_v<Value, long> || std::is_pointer_v<Value>);
    curl().easy_setopt(handle_, option, value);
  }
  CURLcode perform() { return curl().easy_perform(handle_); }
  long status() const;
  void limit(const Deadline& deadline);
  void log_in(const Credentials& credentials);
  // Proves our identity by a certificate; a key that has a pass phrase is refused, not asked for.
  void show(const ClientCertificate& certificate);
  // Replaces the system's certificate authorities by those of a file.
  void trust_only(const std::string& ca_file);
  // Returns what a failed transfer means, `label` naming the other side.
  Error error(CURLcode code, const std::string& label) const;

 private:
  CURL* handle_;
  char message_[CURL_ERROR_SIZE] = "";
};

}  // namespace ha
