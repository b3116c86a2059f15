// SPDX-License-Identifier: MIT
// What every transfer by libcurl has in common here, whatever its protocol. Only after load_curl()
// has succeeded. For the .cc files of this folder only.

#pragma once

#include <curl/curl.h>

#include <string>
#include <type_traits>

#include "common/deadline.h"
#include "common/http/credentials.h"
#include "common/http/curl_library.h"
#include "common/result.h"

namespace ha {

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
