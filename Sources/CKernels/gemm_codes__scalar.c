#include <stddef.h>

#define ISA scalar
#define LANES 4
#define VECTORS 2
#define MOST_ROWS 4
#define STREAM_SHAPES(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1)
#define STREAM_ROWS(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1)
#define PREFETCH 0
#define BY_VECTOR 2
#define KEEP_ORDER(v) (void)0

#include "gemm_codes.h"
