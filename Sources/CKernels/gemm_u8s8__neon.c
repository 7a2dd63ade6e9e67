#if defined(__aarch64__)
#include <arm_neon.h>

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#define ISA neon
#define FEATURE nn_feature_dot_int8
#define NAME gemm_u8s8_4x16
#define LANES 4
#define VECTORS 4
#define MR 4
#define TILE_ROWS(X) X(1) X(2) X(3) X(4)
#define GROUP 4
/// The instruction takes two signed sides.
#define LEFT_OFFSET 128
#define PREFETCH 16
#define SPLITS 0
#define LOAD_RIGHT(p) vld1q_s8(p)
#define PRODUCTS(sums, left, right) \
  (sum_vector) vdotq_s32((int32x4_t)(sums), vreinterpretq_s8_s32((int32x4_t)(left)), right)

#include "gemm_u8s8.h"

#pragma clang attribute pop
#endif
