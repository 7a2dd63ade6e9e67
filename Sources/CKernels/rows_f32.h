/// The row kernels of one instruction set: softmax, log-softmax, layer normalisation, affine.
///
/// A reduction keeps 16 lane totals, lane i taking columns i, i + 16, ... in order, then halves the lanes.

#include <math.h>

#include "math_f32.h"

/// Largest value of a row that is not NaN; a NaN shows up in the sum of exponentials.
INLINE float row_maximum(size_t columns, const float *x) {
  vector largest = -INFINITY;
  size_t j = 0;
  for (; j + LANES <= columns; j += LANES) {
    vector v = load(x + j);
    largest = SELECT(v > largest, v, largest);
  }
  if (j < columns) {
    vector v = load_part(x + j, columns - j, -INFINITY);
    largest = SELECT(v > largest, v, largest);
  }
  return lane_maximum(largest);
}

/// Writes exp(x - offset) to `y` unless null, and returns the sum.
INLINE float row_exponentials(size_t columns, const float *x, float offset, float *y) {
  vector total = 0;
  size_t j = 0;
  for (; j + LANES <= columns; j += LANES) {
    vector e = exponential(load(x + j) - offset);
    total = total + e;
    if (y) store(e, y + j);
  }
  if (j < columns) {
    vector e = exponential(load_part(x + j, columns - j, -INFINITY) - offset);
    int_vector lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    total = total + SELECT(lane < (int_vector)(int)(columns - j), e, 0.0f);
    if (y) store_part(e, y + j, columns - j);
  }
  return lane_sum(total);
}

static void softmax(size_t rows, size_t columns, const float *x, float *y) {
  for (size_t i = 0; i < rows; i++, x += columns, y += columns) {
    float sum = row_exponentials(columns, x, row_maximum(columns, x), y);
    size_t j = 0;
    for (; j + LANES <= columns; j += LANES) store(load(y + j) / sum, y + j);
    if (j < columns) store_part(load_part(y + j, columns - j, 0.0f) / sum, y + j, columns - j);
  }
}

static void log_softmax(size_t rows, size_t columns, const float *x, float *y) {
  for (size_t i = 0; i < rows; i++, x += columns, y += columns) {
    float largest = row_maximum(columns, x);
    vector sum = row_exponentials(columns, x, largest, NULL);
    vector shift = logarithm(sum);
    size_t j = 0;
    for (; j + LANES <= columns; j += LANES) store((load(x + j) - largest) - shift, y + j);
    if (j < columns)
      store_part((load_part(x + j, columns - j, 0.0f) - largest) - shift, y + j, columns - j);
  }
}

/// Sum over a row of x - offset, or of its square.
INLINE float row_moment(size_t columns, const float *x, float offset, bool squared) {
  vector total = 0;
  size_t j = 0;
  for (; j + LANES <= columns; j += LANES) {
    vector d = load(x + j) - offset;
    total = squared ? FMA(d, d, total) : total + d;
  }
  if (j < columns) {
    vector d = load_part(x + j, columns - j, offset) - offset;
    total = squared ? FMA(d, d, total) : total + d;
  }
  return lane_sum(total);
}

INLINE vector normalised(vector x, float mean, float inverse, const vector *scale, const vector *offset) {
  vector y = (x - mean) * inverse;
  if (scale) y = y * *scale;
  if (offset) y = y + *offset;
  return y;
}

static void layer_norm(size_t rows, size_t columns, const float *x, const float *scale, const float *offset,
                       bool centred, float epsilon, float *y, float *means, float *inverses) {
  for (size_t i = 0; i < rows; i++, x += columns, y += columns) {
    float mean = centred ? row_moment(columns, x, 0.0f, false) / (float)columns : 0.0f;
    float variance = row_moment(columns, x, mean, true) / (float)columns;
    float inverse = 1.0f / __builtin_sqrtf(variance + epsilon);
    if (means) means[i] = mean;
    if (inverses) inverses[i] = inverse;
    vector s, o;
    size_t j = 0;
    for (; j + LANES <= columns; j += LANES) {
      if (scale) s = load(scale + j);
      if (offset) o = load(offset + j);
      store(normalised(load(x + j), mean, inverse, scale ? &s : NULL, offset ? &o : NULL), y + j);
    }
    if (j < columns) {
      size_t count = columns - j;
      if (scale) s = load_part(scale + j, count, 1.0f);
      if (offset) o = load_part(offset + j, count, 0.0f);
      store_part(normalised(load_part(x + j, count, 0.0f), mean, inverse, scale ? &s : NULL, offset ? &o : NULL),
                 y + j, count);
    }
  }
}

static void affine(size_t rows, size_t columns, const float *x, const float *scale, const float *offset, float *y) {
  for (size_t i = 0; i < rows; i++, x += columns, y += columns) {
    size_t j = 0;
    for (; j + LANES <= columns; j += LANES) store(FMA(load(x + j), load(scale + j), load(offset + j)), y + j);
    if (j < columns) {
      size_t count = columns - j;
      vector s = load_part(scale + j, count, 0.0f), o = load_part(offset + j, count, 0.0f);
      store_part(FMA(load_part(x + j, count, 0.0f), s, o), y + j, count);
    }
  }
}

typedef double double_vector __attribute__((ext_vector_type(LANES)));

INLINE float larger(float x, float y) { return x > y || x != x ? x : y; }
INLINE float smaller(float x, float y) { return x < y || x != x ? x : y; }

/// Sums of `term(v)` in 16 lanes of double precision, halved like the other reductions.
#define SUM(name, term) \
  static void name(size_t rows, size_t columns, const float *x, double *y) { \
    for (size_t i = 0; i < rows; i++, x += columns) { \
      double_vector total = 0; \
      size_t j = 0; \
      for (; j < columns; j += LANES) { \
        vector part = j + LANES <= columns ? load(x + j) : load_part(x + j, columns - j, 0.0f); \
        double_vector v = __builtin_convertvector(part, double_vector); \
        total = total + (term); \
      } \
      double lanes[LANES]; \
      memcpy(lanes, &total, sizeof lanes); \
      for (size_t half = LANES / 2; half > 0; half /= 2) \
        for (size_t k = 0; k < half; k++) lanes[k] = lanes[k] + lanes[k + half]; \
      y[i] = lanes[0]; \
    } \
  }
SUM(row_sum, v)
SUM(row_square_sum, v *v)
SUM(row_magnitude_sum, __builtin_elementwise_abs(v))
#undef SUM

/// The extreme of a row; NaN when it holds one.
#define EXTREME(name, relation, start, combine) \
  static void name(size_t rows, size_t columns, const float *x, double *y) { \
    for (size_t i = 0; i < rows; i++, x += columns) { \
      vector best = start; \
      size_t j = 0; \
      for (; j < columns; j += LANES) { \
        vector v = j + LANES <= columns ? load(x + j) : load_part(x + j, columns - j, start); \
        best = SELECT((best relation v) | (best != best), best, v); \
      } \
      float lanes[LANES]; \
      store(best, lanes); \
      for (size_t half = LANES / 2; half > 0; half /= 2) \
        for (size_t k = 0; k < half; k++) lanes[k] = combine(lanes[k], lanes[k + half]); \
      y[i] = lanes[0]; \
    } \
  }
EXTREME(row_largest, >, -INFINITY, larger)
EXTREME(row_smallest, <, INFINITY, smaller)
#undef EXTREME

const nn_row_f32_kernels CONCAT(rows_f32, ISA) = {
    "rows_f32__" STRING(ISA), JOIN(nn_isa_, ISA), softmax, log_softmax, layer_norm, affine,
    {row_sum, row_square_sum, row_magnitude_sum, row_largest, row_smallest},
};
