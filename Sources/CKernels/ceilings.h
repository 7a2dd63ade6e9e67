/// What the machine can do at most on one instruction set, expanded from these definitions:
///
/// - `ISA`: the suffix; `LANES`: floats in a register; `CHAINS`: independent accumulators, enough to hide the latency
/// - `MULTIPLY_ADD(a, b, c)`: a * b + c by the best instructions there are

#include <string.h>

#include "declarations.h"
#include "macros.h"

#pragma STDC FP_CONTRACT OFF

typedef float vector __attribute__((ext_vector_type(LANES)));
typedef uint32_t bit_vector __attribute__((ext_vector_type(LANES)));

/// Vectors that each of the streams reads in one step.
#define VECTORS 2

static float multiply_adds(size_t iterations) {
  // The chains stay between 0 and 2, clear of subnormal numbers.
  vector factor = 0.5f, addend = 1.0f, sums[CHAINS];
  UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = (float)i / CHAINS;
  for (size_t n = 0; n < iterations; n++) {
    UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = MULTIPLY_ADD(sums[i], factor, addend);
  }
  vector total = sums[0];
  UNROLL for (size_t i = 1; i < CHAINS; i++) total += sums[i];
  return total[0];
}

/// Reads `streams` sections of memory side by side.
#define DEFINE_READ(name, STREAMS) \
  static uint32_t name(const float *p, size_t count) { \
    size_t section = count / STREAMS, step = VECTORS * LANES; \
    bit_vector bits[STREAMS][VECTORS]; \
    UNROLL for (size_t s = 0; s < STREAMS; s++) UNROLL for (size_t j = 0; j < VECTORS; j++) bits[s][j] = 0; \
    for (size_t i = 0; i + step <= section; i += step) { \
      UNROLL for (size_t s = 0; s < STREAMS; s++) { \
        const float *q = p + s * section + i; \
        UNROLL for (size_t line = 0; line < step; line += 16) __builtin_prefetch(q + 128 + line); \
        UNROLL for (size_t j = 0; j < VECTORS; j++) { \
          bit_vector v; \
          memcpy(&v, q + j * LANES, sizeof v); \
          bits[s][j] |= v; \
        } \
      } \
    } \
    bit_vector all = 0; \
    UNROLL for (size_t s = 0; s < STREAMS; s++) UNROLL for (size_t j = 0; j < VECTORS; j++) all |= bits[s][j]; \
    uint32_t result = 0; \
    UNROLL for (size_t i = 0; i < LANES; i++) result |= all[i]; \
    return result; \
  }

DEFINE_READ(read_1, 1)
DEFINE_READ(read_2, 2)
DEFINE_READ(read_4, 4)

const nn_read_kernel CONCAT(read_f32, ISA) = {
    STRING(CONCAT(read_f32, ISA)), JOIN(nn_isa_, ISA), {read_1, read_2, read_4},
};

const nn_peak_kernel CONCAT(peak_f32, ISA) = {
    STRING(CONCAT(peak_f32, ISA)), JOIN(nn_isa_, ISA), nn_peak_f32, nn_feature_none, 2 * CHAINS * LANES, multiply_adds,
};
