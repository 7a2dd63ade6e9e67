#if defined(__aarch64__)
#include <arm_neon.h>

#define ISA neon
#define LANES 4
#define CHAINS 24
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)

#include "ceilings.h"

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

static float byte_products(size_t iterations) {
  int8x16_t left = vdupq_n_s8(1), right = left;
  int32x4_t sums[CHAINS];
  UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = vdupq_n_s32(0);
  for (size_t n = 0; n < iterations; n++) {
    UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = vdotq_s32(sums[i], left, right);
  }
  int32x4_t total = sums[0];
  UNROLL for (size_t i = 1; i < CHAINS; i++) total = vaddq_s32(total, sums[i]);
  return (float)vaddvq_s32(total);
}

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("bf16"))), apply_to = function)

static float bfloat16_products(size_t iterations) {
  bfloat16x8_t left = vreinterpretq_bf16_u16(vdupq_n_u16(0x3a83)), right = left;
  float32x4_t sums[CHAINS];
  UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = vdupq_n_f32(0);
  for (size_t n = 0; n < iterations; n++) {
    UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = vbfdotq_f32(sums[i], left, right);
  }
  float32x4_t total = sums[0];
  UNROLL for (size_t i = 1; i < CHAINS; i++) total = vaddq_f32(total, sums[i]);
  return vaddvq_f32(total);
}

#pragma clang attribute pop

const nn_peak_kernel peak_int8__neon = {
    "peak_int8__neon", nn_isa_neon, nn_peak_int8, nn_feature_dot_int8, 32 * CHAINS, byte_products,
};
const nn_peak_kernel peak_bf16__neon = {
    "peak_bf16__neon", nn_isa_neon, nn_peak_bf16, nn_feature_dot_bf16, 16 * CHAINS, bfloat16_products,
};
#endif
