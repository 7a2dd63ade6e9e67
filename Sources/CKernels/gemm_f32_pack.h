/// Packing of A into the order the kernels of `gemm_f32.h` read; included by it.

typedef float quad __attribute__((ext_vector_type(4)));
/// Four values of k from each of four squares of 4 x 4.
typedef float four_quads __attribute__((ext_vector_type(16)));

/// Pairs of the first or last two values of k of each square, and of the first or last two rows of such pairs.
#define LOW_VALUES(x, y) __builtin_shufflevector(x, y, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define HIGH_VALUES(x, y) __builtin_shufflevector(x, y, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define LOW_PAIRS(x, y) __builtin_shufflevector(x, y, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define HIGH_PAIRS(x, y) __builtin_shufflevector(x, y, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)

/// Transposes four rows, four squares of 4 x 4 values at a time, to four neighbours in each group of `rows` values, and
/// fetches the four rows behind them, which come next.
static void pack_four_rows(size_t rows, size_t depth, const float *restrict a, size_t stride, float *restrict packed) {
  size_t k = 0;
  for (; k + 16 <= depth; k += 16) {
    four_quads r[4], c[4];
    UNROLL for (size_t i = 0; i < 4; i++) {
      memcpy(&r[i], a + i * stride + k, sizeof r[i]);
      __builtin_prefetch(a + (4 + i) * stride + k);
    }
    four_quads low01 = LOW_VALUES(r[0], r[1]), high01 = HIGH_VALUES(r[0], r[1]);
    four_quads low23 = LOW_VALUES(r[2], r[3]), high23 = HIGH_VALUES(r[2], r[3]);
    c[0] = LOW_PAIRS(low01, low23), c[1] = HIGH_PAIRS(low01, low23);
    c[2] = LOW_PAIRS(high01, high23), c[3] = HIGH_PAIRS(high01, high23);
    UNROLL for (size_t square = 0; square < 4; square++) UNROLL for (size_t j = 0; j < 4; j++) {
      quad values;
      memcpy(&values, (const quad *)&c[j] + square, sizeof values);
      memcpy(packed + (k + 4 * square + j) * rows, &values, sizeof values);
    }
  }
  for (; k < depth; k++)
    for (size_t i = 0; i < 4; i++) packed[k * rows + i] = a[i * stride + k];
}

static void pack_a(size_t rows, size_t depth, const float *restrict a, size_t row_stride, size_t column_stride,
                   float *restrict packed) {
  if (row_stride == 1) {
    for (size_t k = 0; k < depth; k++)
      for (size_t i = 0; i < rows; i++) packed[k * rows + i] = a[k * column_stride + i];
    return;
  }
  size_t i = 0;
  if (column_stride == 1 && rows >= 4) {
    for (; i + 4 <= rows; i += 4) pack_four_rows(rows, depth, a + i * row_stride, row_stride, packed + i);
    if (i < rows) pack_four_rows(rows, depth, a + (rows - 4) * row_stride, row_stride, packed + rows - 4);
    return;
  }
  for (; i < rows; i++)
    for (size_t k = 0; k < depth; k++) packed[k * rows + i] = a[i * row_stride + k * column_stride];
}
