#include <stddef.h>
#define ISA scalar
#define LANES 4
#define VECTORS 2
#define MR 4
#define TILE 4x8
#define TILE_ROWS(X) X(1) X(2) X(3) X(4)
#define TILE_PREFETCH 0
#define STREAM_ROWS 4
#define STREAM_SHAPES(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1)
#define STREAM_PREFETCH 0

#include "gemm_f32.h"

