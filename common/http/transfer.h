// SPDX-License-Identifier: MIT
// What every transfer by libcurl has in common here, whatever its protocol. For the .cc files of
// this folder only.

#pragma once

#include <curl/curl.h>

#include <string>

#include "common/deadline.h"
#include "common/http/credentials.h"
#include "common/result.h"

namespace ha {

// A list of strings as curl wants them.
class CurlList {
 public:
  CurlList() = default;
  ~CurlList() { curl_slist_free_all(list_); }
  CurlList(const CurlList&) = delete;
  CurlList& operator=(const CurlList&) = delete;

  void add(const std::string& text) { list_ = curl_slist_append(list_, text.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// One transfer: certificates verified, no signals, no proxy, no .netrc.
class CurlTransfer {
 public:
  CurlTransfer();
  ~CurlTransfer() { curl_easy_cleanup(curl_); }
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  CURL* handle() { return curl_; }
  void limit(const Deadline& deadline);
  void log_in(const Credentials& credentials);
  // Replaces the system's certificate authorities by those of a file.
  void trust_only(const std::string& ca_file);
  // Returns what a failed transfer means, `label` naming the other side.
  Error error(CURLcode code, const std::string& label) const;

 private:
  CURL* curl_;
  char message_[CURL_ERROR_SIZE] = "";
};

}  // namespace ha
