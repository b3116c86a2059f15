// SPDX-License-Identifier: MIT
// What this machine may lack for a question: descriptors, memory, ports. Such a want tells nothing
// of whom the question is for, so it is UNKNOWN and says whose it is.

#pragma once

namespace ha {

// Ends the text of an error that is ours.
inline constexpr char kOwnWant[] = " (an error of this machine)";

// True for an errno by which the system says that it has no descriptor, memory, buffer or port
// left.
bool is_own_want(int error);

// True when there is no descriptor for one more connection, or no memory for an answer. Some errors
// hide it: a name is not resolved then, or a connection is lost.
bool lacks_resources();

}  // namespace ha
