/// The kernels of quantised networks beside their definitions: exact sums of products of bytes, floats with weights of few
/// bits, codes and sums beside the scalar row.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

#pragma STDC FP_CONTRACT OFF

static uint64_t state = 0x2545f4914f6cdd1du;

static uint32_t draw(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}

static float draw_float(void) { return (float)draw() / (float)(1u << 28) - 4.0f; }

static uint8_t *bytes(size_t count) {
  uint8_t *values = aligned_alloc(64, (count + 64) / 64 * 64);
  // The extremes are what saturates.
  for (size_t i = 0; i < count; i++) values[i] = draw() % 4 == 0 ? 255 : (uint8_t)draw();
  return values;
}

static float *floats(size_t count) {
  float *values = aligned_alloc(64, (count * sizeof(float) + 64) / 64 * 64);
  for (size_t i = 0; i < count; i++) values[i] = draw_float();
  return values;
}

/// Sums of products whose weights are any, with what a kernel keeps apart of them.
static size_t wrong_products(const nn_gemm_u8s8_kernel *kernel, size_t rows, size_t depth) {
  size_t nr = kernel->nr, groups = (depth + kernel->group - 1) / kernel->group, stride = groups * 4;
  uint8_t *codes = bytes(rows * depth), *weights = bytes(depth * nr);
  uint8_t *left = aligned_alloc(64, (rows * stride + 64) / 64 * 64);
  memset(left, 0, rows * stride);
  for (size_t i = 0; i < rows; i++)
    for (size_t k = 0; k < depth; k++) {
      int value = codes[i * depth + k] - kernel->left_offset;
      if (kernel->left_width == 1) left[i * stride + k] = (uint8_t)value;
      else ((int16_t *)(left + i * stride))[k] = (int16_t)value;
    }
  int8_t *panel = (int8_t *)bytes(groups * kernel->group * nr), *apart = (int8_t *)bytes(groups * kernel->group * nr);
  int32_t *sums = malloc(nr * sizeof *sums), *indices = malloc((groups + 1) * sizeof *indices);
  int32_t *c = malloc(rows * nr * sizeof *c);
  kernel->pack_b(depth, nr, weights, nr, false, 0, panel, sums);
  nn_split_groups split = {0, indices, apart, left};
  if (kernel->split) split.count = kernel->split(groups, panel, indices, apart);
  kernel->tile(rows, groups, left, stride, panel, split.count ? &split : NULL, c, nr, false);
  size_t wrong = 0;
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < nr; j++) {
      int32_t sum = 0;
      for (size_t k = 0; k < depth; k++)
        sum += (codes[i * depth + k] - kernel->left_offset) * (int8_t)weights[k * nr + j];
      wrong += sum != c[i * nr + j];
    }
  free(codes), free(weights), free(left), free(panel), free(apart), free(sums), free(indices), free(c);
  return wrong;
}

/// Column j of the weights at k, less its zero point.
static float number(const nn_code_panels *m, size_t nr, size_t k, size_t j) {
  size_t panel = j / nr, lane = j % nr, blocks = (m->depth + m->block - 1) / m->block;
  float zero = m->zeros ? m->zeros[(panel * blocks + k / m->block) * nr + lane] : m->zero;
  if (m->bits == 8) return m->codes[(panel * m->depth + k) * nr + lane] - zero;
  const uint8_t *word = m->codes + ((panel * ((m->depth + 7) / 8) + k / 8) * nr + lane) * 4;
  return (word[k % 8 / 2] >> (k % 2 * 4) & 15) - zero;
}

/// One element of a stream by plain loops.
static float stream_element(const nn_code_panels *m, size_t nr, const float *a, size_t j, float bias) {
  size_t blocks = (m->depth + m->block - 1) / m->block;
  float total = 0;
  for (size_t start = 0; start < m->depth; start += nn_gemm_block_depth) {
    size_t end = m->depth - start > nn_gemm_block_depth ? start + nn_gemm_block_depth : m->depth;
    float sum = 0;
    for (size_t k = start; k < end;) {
      size_t group = k / m->block;
      float part = 0;
      for (; k < end && k / m->block == group; k++) part = fmaf(a[k], number(m, nr, k, j), part);
      sum = fmaf(part, m->scales[(j / nr * blocks + group) * nr + j % nr], sum);
    }
    total = start > 0 ? total + sum : sum;
  }
  return total + bias;
}

static size_t wrong_streams(const nn_gemm_codes_kernel *kernel, int bits, size_t rows, size_t depth, size_t block,
                            bool uniform) {
  size_t nr = kernel->nr, columns = 2 * nr + 3, panels = 3, blocks = (depth + block - 1) / block;
  // Kernels fetch ahead, but read no further than a word behind the depth.
  uint8_t *codes = bytes(panels * nr * (depth + 8)), *zeros = bytes(panels * blocks * nr);
  if (bits == 4) for (size_t i = 0; i < panels * blocks * nr; i++) zeros[i] &= 15;
  float *scales = floats(panels * blocks * nr), *a = floats(rows * depth), *bias = floats(columns);
  float *c = floats(rows * columns);
  nn_code_panels m = {codes, scales, uniform ? NULL : zeros, uniform ? (float)(1 << (bits - 1)) : 0, depth, block, bits};
  kernel->stream(&m, 0, rows, a, depth, c, columns, columns, bias);
  size_t wrong = 0;
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) {
      float expected = stream_element(&m, nr, a + i * depth, j, bias[j]);
      wrong += memcmp(c + i * columns + j, &expected, sizeof expected) != 0;
    }
  free(codes), free(zeros), free(scales), free(a), free(bias), free(c);
  return wrong;
}

/// Codes of floats and finished sums beside those of the scalar row.
static size_t wrong_codes(const nn_quantise_kernels *kernel, const nn_quantise_kernels *plain, size_t columns) {
  enum { rows = 3 };
  size_t padded = (columns + 15) / 16 * 16, wrong = 0;
  float *x = floats(rows * columns), *scales = floats(padded), *bias = floats(padded);
  int32_t *sums = malloc(rows * padded * sizeof *sums), *column_sums = malloc(padded * sizeof *column_sums);
  for (size_t i = 0; i < rows * padded; i++) sums[i] = (int32_t)draw() - (1 << 30);
  for (size_t i = 0; i < padded; i++) column_sums[i] = (int32_t)(draw() % 10000);
  float row_scales[rows] = {0.01f, 0.5f, 0.3f};
  int32_t zeros[rows] = {7, 128, 0};
  uint8_t one[2][rows * 64];
  int16_t two[2][rows * 64];
  float wide[2][rows * 64], ends[2], finished[2][2];
  memset(one, 0, sizeof one), memset(two, 0, sizeof two), memset(wide, 0, sizeof wide);
  for (int multiplies = 0; multiplies < 2; multiplies++) {
    nn_code_scaling scaling = {row_scales, 1, zeros, 1, multiplies, 0, 255};
    nn_sum_terms terms = {zeros, 1, column_sums, NULL, NULL, NULL, row_scales, 1, scales, multiplies, bias, multiplies, ends};
    const nn_quantise_kernels *both[2] = {kernel, plain};
    for (int i = 0; i < 2; i++) {
      both[i]->quantise[0](rows, columns, x, columns, &scaling, one[i], 64);
      both[i]->quantise[1](rows, columns, x, columns, &scaling, two[i], 128);
      both[i]->finish_floats(rows, columns, sums, padded, &terms, wide[i], 64);
      memcpy(finished[i], ends, sizeof ends);
    }
    wrong += memcmp(one[0], one[1], sizeof one[0]) != 0 || memcmp(two[0], two[1], sizeof two[0]) != 0 ||
             memcmp(wide[0], wide[1], sizeof wide[0]) != 0 || memcmp(finished[0], finished[1], sizeof ends) != 0;
  }
  float ranges[2][2], magnitudes[2][rows];
  kernel->range(rows * columns, x, &ranges[0][0], &ranges[0][1]);
  plain->range(rows * columns, x, &ranges[1][0], &ranges[1][1]);
  kernel->magnitudes(rows, columns, x, columns, magnitudes[0]);
  plain->magnitudes(rows, columns, x, columns, magnitudes[1]);
  wrong += memcmp(ranges[0], ranges[1], sizeof ranges[0]) != 0 || memcmp(magnitudes[0], magnitudes[1], sizeof magnitudes[0]);
  free(x), free(scales), free(bias), free(sums), free(column_sums);
  return wrong;
}

/// Compares the rows that the processor has; counts comparisons and those that failed.
void check_codes(size_t *compared, size_t *different) {
  static const size_t depths[] = {1, 3, 8, 13, 64, 131, 515, 1100};
  for (size_t row = 0; row < nn_gemm_u8s8_count(); row++) {
    const nn_gemm_u8s8_kernel *kernel = nn_gemm_u8s8_kernel_at(row);
    if (!nn_isa_is_available(kernel->isa) || !nn_feature_is_available(kernel->feature, kernel->isa)) continue;
    for (size_t rows = 1; rows <= kernel->mr; rows++)
      for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        size_t wrong = wrong_products(kernel, rows, depths[i]);
        if (wrong) printf("%s: %zu x %zu: %zu sums differ\n", kernel->name, rows, depths[i], wrong);
        *different += wrong != 0, ++*compared;
      }
  }
  for (int isa = 0; isa < nn_isa_count; isa++) {
    if (!nn_isa_is_available(isa)) continue;
    const nn_gemm_codes_kernel *kernel = nn_gemm_codes_kernel_for(isa);
    for (int bits = 4; bits <= 8; bits += 4)
      for (size_t rows = 1; rows <= kernel->stream_rows; rows++)
        for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++)
          for (int form = 0; form < 4; form++) {
            size_t block = form < 2 ? depths[i] : form == 2 ? 32 : 24;
            size_t wrong = wrong_streams(kernel, bits, rows, depths[i], block < depths[i] ? block : depths[i], form % 2);
            if (wrong) printf("%s: %d bits, %zu x %zu: %zu differ\n", kernel->name, bits, rows, depths[i], wrong);
            *different += wrong != 0, ++*compared;
          }
    for (size_t columns = 1; columns <= 64; columns += 7) {
      size_t wrong = wrong_codes(nn_quantise_kernels_for(isa), nn_quantise_kernels_for(0), columns);
      if (wrong) printf("%s: %zu columns differ\n", nn_quantise_kernels_for(isa)->name, columns);
      *different += wrong != 0, ++*compared;
    }
  }
}
