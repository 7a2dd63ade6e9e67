#pragma once
#include <unzip.h>
#include <zip.h>

// Function-like and cast macros, which Swift cannot import.
static inline int nn_unz_ok(void) { return UNZ_OK; }
