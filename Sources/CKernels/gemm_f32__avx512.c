#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma"))), apply_to = function)

#define ISA avx512
#define LANES 16
#define VECTORS 2
#define MR 12
#define TILE 12x32
#define TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#define TILE_PREFETCH 32
#define STREAM_ROWS 8
#define STREAM_SHAPES(X) X(1, 4) X(2, 4) X(3, 4) X(4, 3) X(5, 2) X(6, 2) X(7, 1) X(8, 1)
#define STREAM_PREFETCH 64

#include "gemm_f32.h"

#pragma clang attribute pop
#endif
