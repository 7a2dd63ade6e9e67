/// The integer Gemm kernels of one row of the table, expanded from these definitions:
///
/// - `ISA`, `FEATURE`: the suffix and what the processor must have beside it
/// - `NAME`: `gemm_u8s8_MRxNR`; `LANES`: 32-bit sums in a register; `VECTORS`: registers across a panel
/// - `MR`: rows of the tile; `TILE_ROWS(X)`: X(1) ... X(MR)
/// - `GROUP`: neighbours along k that one step multiplies, 2 or 4; the left values of a group are 4 bytes
/// - `LEFT_OFFSET`: what is subtracted of the codes of the left side
/// - `PREFETCH`: steps of k that are fetched ahead
/// - `SPLITS`: whether the sum of two products of the step must stay within 16 bits
/// - `right_vector`, `LOAD_RIGHT(p)`: LANES groups of B; `PRODUCTS(sums, left, right)`: sums + products of each lane
///
/// Everything is exact modulo 2^32.

#include <string.h>

#include "declarations.h"
#include "macros.h"

#define NR (LANES * VECTORS)

typedef int32_t sum_vector __attribute__((ext_vector_type(LANES)));

/// The four bytes of a group of the left side in every lane.
INLINE sum_vector left_group(const uint8_t *a) {
  int32_t group;
  memcpy(&group, a, sizeof group);
  return (sum_vector)group;
}

/// One step of k for all rows and columns of the tile.
#define STEP(R, a, b) \
  do { \
    UNROLL for (size_t i = 0; i < R; i++) { \
      sum_vector group = left_group((a) + i * lda); \
      UNROLL for (size_t j = 0; j < VECTORS; j++) \
          sums[i][j] = PRODUCTS(sums[i][j], group, LOAD_RIGHT((b) + j * LANES * GROUP)); \
    } \
  } while (0)

#define DEFINE_TILE(R) \
  static __attribute__((noinline)) void tile_##R(size_t groups, const uint8_t *restrict a, size_t lda, \
      const int8_t *restrict b, const nn_split_groups *split, int32_t *restrict c, size_t ldc, bool accumulate) { \
    sum_vector sums[R][VECTORS]; \
    UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < VECTORS; j++) { \
      if (accumulate) memcpy(&sums[i][j], c + i * ldc + j * LANES, sizeof sums[i][j]); \
      else sums[i][j] = 0; \
    } \
    const uint8_t *left = a; \
    _Pragma("clang loop unroll(disable)") for (size_t k = 0; k < groups; k++, left += 4, b += NR * GROUP) { \
      __builtin_prefetch(b + PREFETCH * NR * GROUP); \
      STEP(R, left, b); \
    } \
    if (split) \
      for (size_t k = 0; k < split->count; k++) \
        STEP(R, split->left + (size_t)split->groups[k] * 4, split->values + k * NR * GROUP); \
    UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < VECTORS; j++) \
        memcpy(c + i * ldc + j * LANES, &sums[i][j], sizeof sums[i][j]); \
  }

TILE_ROWS(DEFINE_TILE)

static void tile(size_t rows, size_t groups, const uint8_t *a, size_t lda, const int8_t *b,
                 const nn_split_groups *split, int32_t *c, size_t ldc, bool accumulate) {
  switch (rows) {
#define X(R) \
  case R: tile_##R(groups, a, lda, b, split, c, ldc, accumulate); break;
    TILE_ROWS(X)
#undef X
  }
}

static void pack_b(size_t depth, size_t columns, const uint8_t *b, size_t ldb, bool transposed, uint8_t flip,
                   int8_t *restrict panel, int32_t *restrict sums) {
  if (columns > NR) columns = NR;
  size_t row_stride = transposed ? 1 : ldb, column_stride = transposed ? ldb : 1;
  for (size_t j = 0; j < NR; j++) sums[j] = 0;
  for (size_t k = 0; k < depth; k += GROUP, panel += NR * GROUP) {
    size_t count = depth - k < GROUP ? depth - k : GROUP;
    if (count < GROUP || columns < NR) memset(panel, 0, NR * GROUP);
    for (size_t j = 0; j < columns; j++) {
      const uint8_t *source = b + k * row_stride + j * column_stride;
      for (size_t i = 0; i < count; i++) {
        int8_t value = (int8_t)(source[i * row_stride] ^ flip);
        panel[j * GROUP + i] = value;
        sums[j] += value;
      }
    }
  }
}

#if SPLITS
/// What has to go of a pair of weights, so that two products with values up to 255 keep within 16 bits.
INLINE int excess(int w0, int w1) {
  if (w0 > 0 && w1 > 0 && w0 + w1 > 128) return w0 + w1 - 128;
  if (w0 < 0 && w1 < 0 && w0 + w1 < -128) return w0 + w1 + 128;
  return 0;
}

static size_t split(size_t groups, int8_t *panel, int32_t *indices, int8_t *values) {
  size_t count = 0;
  for (size_t k = 0; k < groups; k++, panel += NR * GROUP) {
    int any = 0;
    for (size_t i = 0; i < NR * GROUP; i += 2) any |= excess(panel[i], panel[i + 1]);
    if (!any) continue;
    if (indices) {
      indices[count] = (int32_t)k;
      for (size_t i = 0; i < NR * GROUP; i += 2) {
        int rest = excess(panel[i], panel[i + 1]);
        values[count * NR * GROUP + i] = (int8_t)rest;
        values[count * NR * GROUP + i + 1] = 0;
        panel[i] = (int8_t)(panel[i] - rest);
      }
    }
    count++;
  }
  return count;
}
#else
#define split NULL
#endif

const nn_gemm_u8s8_kernel CONCAT(NAME, ISA) = {
    STRING(CONCAT(NAME, ISA)), JOIN(nn_isa_, ISA), FEATURE, MR, NR, GROUP, 4 / GROUP, LEFT_OFFSET, tile, pack_b, split,
};
