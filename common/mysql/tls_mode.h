// SPDX-License-Identifier: MIT
// How much TLS a login asks for, from nothing to a certificate with the server's own name: the
// words of --ssl-mode (MySQL Reference Manual, "Command Options for Encrypted Connections").

#pragma once

namespace ha {

enum class TlsMode { kDisabled, kPreferred, kRequired, kVerifyCa, kVerifyIdentity };

}  // namespace ha
