/// Counts the blocks of memory that this process asks the C library for, on all threads.
///
/// Linking this file into a program puts its `malloc` and relatives in front of the C library's.
#pragma once

#include <stddef.h>

/// Blocks asked for since the program started, those that an existing block was resized to included.
size_t allocation_count(void);
