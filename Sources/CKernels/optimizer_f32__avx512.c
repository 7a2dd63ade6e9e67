#if defined(__x86_64__)
#include <immintrin.h>
#include "declarations.h"
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma"))), apply_to = function)

#define ISA avx512
#define HAS_MASKED_ACCESS
#include "optimizer_f32.h"

#pragma clang attribute pop
#endif
