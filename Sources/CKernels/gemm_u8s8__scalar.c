#include <stddef.h>

#define ISA scalar
#define FEATURE nn_feature_none
#define NAME gemm_u8s8_4x16
#define LANES 4
#define VECTORS 4
#define MR 4
#define TILE_ROWS(X) X(1) X(2) X(3) X(4)
#define GROUP 4
#define LEFT_OFFSET 0
#define PREFETCH 0
#define SPLITS 0
#define LOAD_RIGHT(p) load_right(p)
#define PRODUCTS(sums, left, right) byte_products(sums, left, right)

typedef int right_vector __attribute__((ext_vector_type(LANES)));

static inline right_vector load_right(const signed char *p) {
  right_vector v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

/// Shifts that keep the sign take the bytes of B out of each lane, masks those of A.
static inline right_vector byte_products(right_vector sums, right_vector left, right_vector right) {
  sums += (left & 255) * (right << 24 >> 24);
  sums += (left >> 8 & 255) * (right << 16 >> 24);
  sums += (left >> 16 & 255) * (right << 8 >> 24);
  return sums + (left >> 24 & 255) * (right >> 24);
}

#include "gemm_u8s8.h"
