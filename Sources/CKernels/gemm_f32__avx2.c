#if defined(__x86_64__)
#include <stddef.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define ISA avx2
#define LANES 8
#define VECTORS 2
#define MR 6
#define TILE 6x16
#define TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define TILE_PREFETCH 0
#define STREAM_ROWS 6
#define STREAM_SHAPES(X) X(1, 4) X(2, 3) X(3, 2) X(4, 1) X(5, 1) X(6, 1)
#define STREAM_PREFETCH 16

#include "gemm_f32.h"

#pragma clang attribute pop
#endif
