// SPDX-License-Identifier: MIT
// libcurl, loaded when something is transferred and not linked: no program of ours transfers in
// every run (a heartbeat may be a file, an event may be no failover, a notice may not be wanted).
//
// What loading it at the start adds to a run without a transfer, in million instructions (of those
// of a build without optimisation): check_heartbeat 8.6 (14.6), check_engine_pair 8.6 (11.0),
// handle_engine_failover 13.2 (8.2; it loads no other TLS library), handle_mysql_failover 8.6
// (23.5), mysql_ha 8.5 (26.6). To measure: run them under valgrind --tool=callgrind, with and
// without LD_PRELOAD=libcurl.so.4.

#pragma once

#include <curl/curl.h>

#include "common/result.h"

namespace ha {

// The functions of libcurl that we use.
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

// Only after load_curl() has succeeded.
const CurlLibrary& curl();

}  // namespace ha
