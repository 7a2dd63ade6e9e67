/// Between floats, codes of 8 bits and integer sums, for one instruction set.
///
/// Divisions and products are rounded one by one as the operators define them, so that all instruction sets agree with
/// plain loops bit for bit.

#include <math.h>

#include "vector.h"

typedef uint8_t byte_vector __attribute__((ext_vector_type(LANES)));
typedef int16_t short_vector __attribute__((ext_vector_type(LANES)));

#define INTEGERS(v) __builtin_convertvector(v, int_vector)

INLINE int_vector load_integers(const int32_t *p) {
  int_vector v;
  memcpy(&v, p, sizeof v);
  return v;
}

INLINE byte_vector load_bytes(const uint8_t *p, size_t count) {
  byte_vector v = 0;
  if (count >= LANES) memcpy(&v, p, sizeof v);
  else memcpy(&v, p, count);
  return v;
}

INLINE vector least(vector v, vector low) { return SELECT(v < low, v, low); }
INLINE vector largest(vector v, vector high) { return SELECT(v > high, v, high); }

static void range(size_t count, const float *x, float *lowest, float *highest) {
  vector low[4], high[4];
  for (size_t i = 0; i < 4; i++) low[i] = high[i] = 0;
  size_t j = 0;
  for (; j + 4 * LANES <= count; j += 4 * LANES)
    for (size_t i = 0; i < 4; i++) {
      vector v = load(x + j + i * LANES);
      low[i] = least(v, low[i]);
      high[i] = largest(v, high[i]);
    }
  for (; j < count; j += LANES) {
    vector v = count - j < LANES ? load_part(x + j, count - j, 0.0f) : load(x + j);
    low[0] = least(v, low[0]);
    high[0] = largest(v, high[0]);
  }
  for (size_t i = 1; i < 4; i++) {
    low[0] = least(low[i], low[0]);
    high[0] = largest(high[i], high[0]);
  }
  *lowest = -lane_maximum(-low[0]);
  *highest = lane_maximum(high[0]);
}

static void magnitudes(size_t rows, size_t columns, const float *x, size_t ldx, float *y) {
  for (size_t i = 0; i < rows; i++, x += ldx) {
    // The bits of positive numbers grow with them, and those of NaN are above all.
    int_vector largest = 0;
    for (size_t j = 0; j < columns; j += LANES) {
      vector v = columns - j < LANES ? load_part(x + j, columns - j, 0.0f) : load(x + j);
      int_vector bits = (int_vector)(BITS(v) & 0x7fffffffu);
      largest = bits > largest ? bits : largest;
    }
    int32_t lanes[LANES], best = 0;
    memcpy(lanes, &largest, sizeof lanes);
    for (size_t j = 0; j < LANES; j++) best = lanes[j] > best ? lanes[j] : best;
    memcpy(y + i, &best, sizeof best);
  }
}

/// round(x / scale) + zero or round(x * scale) + zero, bounded; a NaN becomes the lowest code.
INLINE int_vector codes_of(vector x, const nn_code_scaling *p, vector scale, vector low, vector high, int_vector zero) {
  vector v = p->multiplies ? x * scale : x / scale;
  v = SELECT(v > low, v, low);
  v = SELECT(v < high, v, high);
  // 1.5 * 2^23 leaves no bits for the fraction, so that the addition rounds; the low bits are then the integer.
  return (int_vector)(BITS(v + 12582912.0f) - 0x4b400000u) + zero;
}

#define DEFINE_QUANTISE(name, element, element_vector) \
  static void name(size_t rows, size_t columns, const float *x, size_t ldx, const nn_code_scaling *p, void *y, \
                   size_t ldy) { \
    for (size_t i = 0; i < rows; i++, x += ldx) { \
      element *target = (element *)((char *)y + i * ldy); \
      float scale = p->scales[i * p->scale_stride]; \
      int32_t zero = p->zeros[i * p->zero_stride]; \
      vector low = (float)(p->lowest - zero), high = (float)(p->highest - zero); \
      size_t j = 0; \
      for (; j + LANES <= columns; j += LANES) { \
        element_vector codes = \
            __builtin_convertvector(codes_of(load(x + j), p, scale, low, high, zero), element_vector); \
        memcpy(target + j, &codes, sizeof codes); \
      } \
      if (j < columns) { \
        element_vector codes = __builtin_convertvector( \
            codes_of(load_part(x + j, columns - j, 0.0f), p, scale, low, high, zero), element_vector); \
        memcpy(target + j, &codes, (columns - j) * sizeof(element)); \
      } \
    } \
  }
DEFINE_QUANTISE(quantise_bytes, uint8_t, byte_vector)
DEFINE_QUANTISE(quantise_shorts, int16_t, short_vector)

static void carry_bytes(size_t rows, size_t columns, const uint8_t *x, size_t ldx, uint8_t flip, void *y, size_t ldy) {
  for (size_t i = 0; i < rows; i++, x += ldx) {
    uint8_t *target = (uint8_t *)y + i * ldy;
    for (size_t j = 0; j < columns; j++) target[j] = x[j] ^ flip;
  }
}

static void carry_shorts(size_t rows, size_t columns, const uint8_t *x, size_t ldx, uint8_t flip, void *y,
                         size_t ldy) {
  for (size_t i = 0; i < rows; i++, x += ldx) {
    int16_t *target = (int16_t *)((char *)y + i * ldy);
    for (size_t j = 0; j < columns; j++) target[j] = x[j] ^ flip;
  }
}

static void byte_sums(size_t rows, size_t columns, const uint8_t *x, size_t ldx, uint8_t flip, int32_t *y) {
  for (size_t i = 0; i < rows; i++, x += ldx) {
    int_vector total = 0;
    for (size_t j = 0; j < columns; j += LANES) {
      byte_vector v = load_bytes(x + j, columns - j);
      if (columns - j >= LANES) v ^= flip;
      else for (size_t lane = 0; lane < columns - j; lane++) v[lane] ^= flip;
      total += INTEGERS(v);
    }
    int32_t lanes[LANES], sum = 0;
    memcpy(lanes, &total, sizeof lanes);
    for (size_t j = 0; j < LANES; j++) sum += lanes[j];
    y[i] = sum;
  }
}

/// What sums of one vector of columns are corrected by.
typedef struct {
  int_vector sums, zeros, offsets;
} column_terms;

INLINE column_terms terms_of(const nn_sum_terms *p, size_t j) {
  column_terms terms = {load_integers(p->column_sums + j), 0, 0};
  if (p->right_zeros) terms.zeros = load_integers(p->right_zeros + j);
  if (p->offsets) terms.offsets = load_integers(p->offsets + j);
  return terms;
}

/// What is added to the sums of a row, so that all zero points are taken into account.
INLINE int_vector correction(const nn_sum_terms *p, size_t row, const column_terms *terms) {
  int_vector v = terms->offsets + p->left[row * p->left_stride] * terms->sums;
  return p->right_zeros ? v - p->row_terms[row] * terms->zeros : v;
}

static void finish_integers(size_t rows, size_t columns, const int32_t *sums, size_t lds, const nn_sum_terms *p,
                            int32_t *y, size_t ldy) {
  for (size_t j = 0; j < columns; j += LANES) {
    column_terms terms = terms_of(p, j);
    size_t count = columns - j < LANES ? columns - j : LANES;
    for (size_t i = 0; i < rows; i++) {
      int_vector v = load_integers(sums + i * lds + j) + correction(p, i, &terms);
      memcpy(y + i * ldy + j, &v, count * sizeof(int32_t));
    }
  }
}

/// One vector of columns. The factor and the correction are the same for all rows where they are `uniform`.
INLINE void finish_vector(size_t rows, size_t count, const int32_t *sums, size_t lds, const nn_sum_terms *p, size_t j,
                          bool uniform, float *y, size_t ldy, vector *low, vector *high) {
  column_terms terms = terms_of(p, j);
  int_vector shared_correction = correction(p, 0, &terms);
  vector scales = load(p->column_scales + j), shared_factor = p->row_scales[0] * scales;
  // The number that changes none by being added.
  vector bias = p->bias ? load(p->bias + j) : (vector)-0.0f;
  for (size_t i = 0; i < rows; i++, sums += lds, y += ldy) {
    int_vector sum = load_integers(sums) + (uniform ? shared_correction : correction(p, i, &terms));
    vector v = __builtin_convertvector(sum, vector);
    vector factor = uniform ? shared_factor : p->row_scales[i * p->row_scale_stride] * scales;
    v = (p->divides ? v / factor : v * factor) + bias;
    if (p->rectifies) v = at_least(v, 0.0f);
    if (count >= LANES) {
      store(v, y);
    } else {
      store_part(v, y, count);
      v = load_part(y, count, 0.0f);
    }
    *low = least(v, *low);
    *high = largest(v, *high);
  }
}

static void finish_floats(size_t rows, size_t columns, const int32_t *sums, size_t lds, const nn_sum_terms *p,
                          float *y, size_t ldy) {
  bool uniform = p->left_stride == 0 && p->row_scale_stride == 0 && !p->right_zeros;
  vector low = 0, high = 0;
  for (size_t j = 0; j < columns; j += LANES) {
    size_t count = columns - j < LANES ? columns - j : LANES;
    if (uniform) finish_vector(rows, count, sums + j, lds, p, j, true, y + j, ldy, &low, &high);
    else finish_vector(rows, count, sums + j, lds, p, j, false, y + j, ldy, &low, &high);
  }
  if (p->range) {
    p->range[0] = -lane_maximum(-low);
    p->range[1] = lane_maximum(high);
  }
}

const nn_quantise_kernels CONCAT(quantise, ISA) = {
    "quantise__" STRING(ISA), JOIN(nn_isa_, ISA), range, magnitudes, {quantise_bytes, quantise_shorts},
    {carry_bytes, carry_shorts}, byte_sums, finish_integers, finish_floats,
};
