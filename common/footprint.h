// SPDX-License-Identifier: MIT
// The memory of a program that lives for weeks and mostly waits.

#pragma once

namespace ha {

// Gives back what only the start of the program has used, and has all threads share one heap: each
// heap keeps what its threads have freed. To be called before there are other threads.
void keep_footprint_small();

// Gives back what was freed, and the pages of code and constants, of which those that are in use
// come back at once: logins over TLS use megabytes of them for a moment. From any thread.
void give_back_memory();

}  // namespace ha
