#if defined(__aarch64__)
#include <stddef.h>

#define ISA neon
#define LANES 4
#define VECTORS 3
#define MR 8
#define TILE 8x12
#define TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define TILE_PREFETCH 16
#define STREAM_ROWS 8
#define STREAM_SHAPES(X) X(1, 4) X(2, 2) X(3, 2) X(4, 2) X(5, 1) X(6, 1) X(7, 1) X(8, 1)
#define STREAM_PREFETCH 32

#include "gemm_f32.h"
#endif
