#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma"))), apply_to = function)

#define ISA avx512
#define LANES 16
#define VECTORS 2
#define MOST_ROWS 8
#define STREAM_SHAPES(X) X(1, 2) X(1, 1) X(2, 2) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1)
#define STREAM_ROWS(X) X(1, 2) X(2, 2) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1)
#define PREFETCH 64
#define BY_VECTOR 0
#define KEEP_ORDER(v) (void)0
#define LOOK_UP(words, table) (vector)_mm512_permutexvar_ps((__m512i)(words), (__m512)(table))

#include "gemm_codes.h"

#pragma clang attribute pop
#endif
