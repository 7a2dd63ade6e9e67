#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "declarations.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define ISA avx2
#include "quantise.h"

#pragma clang attribute pop
#endif
