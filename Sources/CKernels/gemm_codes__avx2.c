#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define ISA avx2
#define LANES 8
#define VECTORS 2
#define MOST_ROWS 6
#define STREAM_SHAPES(X) X(1, 2) X(1, 1) X(2, 2) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1)
#define STREAM_ROWS(X) X(1, 2) X(2, 2) X(3, 1) X(4, 1) X(5, 1) X(6, 1)
#define PREFETCH 64
#define BY_VECTOR 2
#define KEEP_ORDER(v) __asm__ volatile("" : "+x"(v))

#include "gemm_codes.h"

#pragma clang attribute pop
#endif
