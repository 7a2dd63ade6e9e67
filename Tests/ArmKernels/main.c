/// Compares every kernel of every instruction set that the processor has with the definitions, to the bit: Gemm with plain
/// loops, everything else with the scalar row. For processors that the Swift tests are not run on; exits 1 on a difference.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

#pragma STDC FP_CONTRACT OFF

static size_t compared, different;

static uint64_t state = 0x9e3779b97f4a7c15u;

/// Numbers from -4 to 4, now and then zero, infinite or NaN.
static float draw(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  uint32_t bits = (uint32_t)(state >> 33);
  switch (bits % 97) {
    case 0: return 0.0f;
    case 1: return -0.0f;
    case 2: return INFINITY;
    case 3: return -INFINITY;
    case 4: return NAN;
    default: return (float)bits / (float)(1u << 28) - 4.0f;
  }
}

static float draw_finite(void) {
  float x = draw();
  return isfinite(x) ? x : 1.5f;
}

static float *floats(size_t count, float (*source)(void)) {
  float *values = malloc((count + 1) * sizeof *values);
  for (size_t i = 0; i < count; i++) values[i] = source();
  return values;
}

/// Counts the elements whose bits differ; two NaNs are equal.
static void compare(const char *what, const void *actual, const void *expected, size_t count, size_t width) {
  const char *a = actual, *b = expected;
  size_t wrong = 0;
  for (size_t i = 0; i < count; i++, a += width, b += width) {
    if (memcmp(a, b, width) == 0) continue;
    double x, y;
    if (width == sizeof(float)) {
      float f, g;
      memcpy(&f, a, sizeof f);
      memcpy(&g, b, sizeof g);
      x = f, y = g;
    } else {
      memcpy(&x, a, sizeof x);
      memcpy(&y, b, sizeof y);
    }
    if (!(isnan(x) && isnan(y))) wrong++;
  }
  compared++;
  if (wrong) {
    different++;
    printf("%s: %zu of %zu differ\n", what, wrong, count);
  }
}

static float bfloat16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/// The sum of a k-block after another, each a chain of fused multiply-adds from zero.
static float product(const float *a, const float *b, size_t ldb, size_t depth, float bias, bool rectifies, bool rounds) {
  float total = 0;
  for (size_t start = 0; start == 0 || start < depth; start += nn_gemm_block_depth) {
    float sum = 0;
    for (size_t k = start; k < depth && k < start + nn_gemm_block_depth; k++)
      sum = fmaf(a[k], rounds ? bfloat16(b[k * ldb]) : b[k * ldb], sum);
    total = start == 0 ? sum : total + sum;
  }
  total = total + bias;
  return rectifies && total < 0 ? 0 : total;
}

/// One product by the streaming kernel and by the tiles.
static void check_gemm(const nn_gemm_f32_kernel *kernel, const nn_gemm_form_f32 *form, size_t rows, size_t depth,
                       size_t columns, bool rectifies) {
  size_t panels = (columns + kernel->nr - 1) / kernel->nr, ldc = columns + 3;
  float *a = floats(rows * depth, draw_finite), *b = floats(depth * columns, draw_finite),
        *bias = floats(columns, draw_finite);
  float *expected = calloc(rows * ldc, sizeof *expected), *actual = calloc(rows * ldc, sizeof *actual);
  char *packed = aligned_alloc(64, (panels * kernel->nr * depth * form->weight_size + 127) / 64 * 64);
  float *packed_a = malloc((rows * depth + 1) * sizeof *packed_a);
  size_t panel_size = kernel->nr * depth * form->weight_size;
  for (size_t p = 0; p < panels; p++)
    form->pack_b(depth, columns - p * kernel->nr < kernel->nr ? columns - p * kernel->nr : kernel->nr,
                 b + p * kernel->nr, columns, false, 1.0f, packed + p * panel_size);
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++)
      expected[i * ldc + j] =
          product(a + i * depth, b + j, columns, depth, bias[j], rectifies, form->weight_size == 2);
  char what[160];
  snprintf(what, sizeof what, "%s %zux%zux%zu", form->name, rows, depth, columns);
  if (rows <= kernel->stream_rows) {
    form->stream(rows, depth, a, depth, packed, actual, ldc, columns, bias, rectifies);
    compare(what, actual, expected, rows * ldc, sizeof(float));
  }
  memset(actual, 0, rows * ldc * sizeof *actual);
  for (size_t start = 0; start == 0 || start < depth; start += nn_gemm_block_depth) {
    size_t block = depth - start < nn_gemm_block_depth ? depth - start : nn_gemm_block_depth;
    bool last = start + block >= depth;
    kernel->pack_a(rows, block, a + start, depth, 1, packed_a);
    for (size_t p = 0; p < panels; p++) {
      size_t first = p * kernel->nr, width = columns - first < kernel->nr ? columns - first : kernel->nr;
      const char *weights = packed + p * panel_size + start * kernel->nr * form->weight_size;
      form->tile(rows, block, packed_a, weights, actual + first, ldc, width, last ? bias + first : NULL,
                 last && rectifies, start > 0, weights, 0);
    }
  }
  compare(what, actual, expected, rows * ldc, sizeof(float));
  free(a), free(b), free(bias), free(expected), free(actual), free(packed), free(packed_a);
}

static void check_gemms(const nn_gemm_f32_kernel *kernel) {
  static const size_t depths[] = {0, 1, 3, 13, 512, 513, 1100};
  for (size_t f = 0; f < 2; f++)
    for (size_t rows = 1; rows <= kernel->mr; rows++)
      for (size_t d = 0; d < sizeof depths / sizeof *depths; d++)
        for (size_t columns = 1; columns <= 4 * kernel->nr + 1; columns += columns < kernel->nr ? 1 : kernel->nr / 2 + 1)
          check_gemm(kernel, f ? kernel->bf16 : kernel->f32, rows, depths[d], columns, columns % 2);
}

static void check_elements(int isa) {
  static const size_t widths[] = {1, 2, 15, 16, 17, 40, 100};
  for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
    size_t rows = 3, columns = widths[w], stride = columns + 2, count = rows * stride;
    float *x = floats(count, draw), *y = floats(count, draw);
    float *expected = calloc(count, sizeof *expected), *actual = calloc(count, sizeof *actual);
    for (size_t i = 0; i < nn_unary_count; i++) {
      nn_unary_f32_kernels_for(0)[i].function(rows, columns, x, expected, stride, 0.75f, 1.25f);
      nn_unary_f32_kernels_for(isa)[i].function(rows, columns, x, actual, stride, 0.75f, 1.25f);
      compare(nn_unary_f32_kernels_for(isa)[i].name, actual, expected, count, sizeof(float));
    }
    for (size_t i = 0; i < nn_binary_count; i++) {
      nn_operand_f32 left = {x, stride, false}, right = {y, i % 2 ? stride : 0, i % 3 == 0};
      nn_binary_f32_kernels_for(0)[i].function(rows, columns, left, right, expected, stride);
      nn_binary_f32_kernels_for(isa)[i].function(rows, columns, left, right, actual, stride);
      compare(nn_binary_f32_kernels_for(isa)[i].name, actual, expected, count, sizeof(float));
    }
    free(x), free(y), free(expected), free(actual);
  }
}

static void check_rows(int isa) {
  const nn_row_f32_kernels *kernels = nn_row_f32_kernels_for(isa), *scalar = nn_row_f32_kernels_for(0);
  for (size_t columns = 1; columns <= 70; columns += columns < 20 ? 1 : 7) {
    size_t rows = 4, count = rows * columns;
    float *x = floats(count, columns % 5 ? draw_finite : draw), *scale = floats(columns, draw_finite),
          *offset = floats(columns, draw_finite);
    float *expected = malloc(count * sizeof *expected), *actual = malloc(count * sizeof *actual);
    float means[2][4], inverses[2][4];
    scalar->softmax(rows, columns, x, expected), kernels->softmax(rows, columns, x, actual);
    compare("softmax", actual, expected, count, sizeof(float));
    scalar->log_softmax(rows, columns, x, expected), kernels->log_softmax(rows, columns, x, actual);
    compare("log_softmax", actual, expected, count, sizeof(float));
    scalar->layer_norm(rows, columns, x, scale, offset, true, 1e-3f, expected, means[0], inverses[0]);
    kernels->layer_norm(rows, columns, x, scale, offset, true, 1e-3f, actual, means[1], inverses[1]);
    compare("layer_norm", actual, expected, count, sizeof(float));
    compare("layer_norm means", means[1], means[0], rows, sizeof(float));
    compare("layer_norm inverses", inverses[1], inverses[0], rows, sizeof(float));
    scalar->affine(rows, columns, x, scale, offset, expected), kernels->affine(rows, columns, x, scale, offset, actual);
    compare("affine", actual, expected, count, sizeof(float));
    for (size_t i = 0; i < nn_reduction_count; i++) {
      double sums[2][4];
      scalar->reductions[i](rows, columns, x, sums[0]), kernels->reductions[i](rows, columns, x, sums[1]);
      compare("reduction", sums[1], sums[0], rows, sizeof(double));
    }
    free(x), free(scale), free(offset), free(expected), free(actual);
  }
}

/// The kernels of quantised networks.
void check_codes(size_t *compared, size_t *different);

int main(void) {
  check_codes(&compared, &different);
  for (size_t i = 0; i < nn_gemm_f32_count(); i++)
    if (nn_isa_is_available(nn_gemm_f32_kernel_at(i)->isa)) check_gemms(nn_gemm_f32_kernel_at(i));
  for (int isa = 1; isa < nn_isa_count; isa++) {
    if (!nn_isa_is_available(isa)) continue;
    printf("%s\n", nn_isa_name(isa));
    check_elements(isa);
    check_rows(isa);
  }
  printf("%zu comparisons, %zu with differences\n", compared, different);
  return different == 0 && compared > 0 ? 0 : 1;
}
