#if defined(__aarch64__)
#include <stddef.h>

#define ISA neon
#define LANES 4
#define VECTORS 3
#define MOST_ROWS 8
#define STREAM_SHAPES(X) X(1, 2) X(1, 1) X(2, 2) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1)
#define STREAM_ROWS(X) X(1, 2) X(2, 2) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1)
#define PREFETCH 32
#define BY_VECTOR 2
#define KEEP_ORDER(v) __asm__ volatile("" : "+w"(v))

#include "gemm_codes.h"
#endif
