/// Packing of A into the order the kernels of `gemm_f32.h` read; included by it.

typedef float quad __attribute__((ext_vector_type(4)));

/// Transposes four rows, 4 x 4 values at a time, to four neighbours in each group of `rows` values.
static void pack_four_rows(size_t rows, size_t depth, const float *restrict a, size_t stride, float *restrict packed) {
  size_t k = 0;
  for (; k + 4 <= depth; k += 4) {
    quad r[4], c[4];
    UNROLL for (size_t i = 0; i < 4; i++) memcpy(&r[i], a + i * stride + k, sizeof r[i]);
    quad low01 = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
    quad high01 = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
    quad low23 = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
    quad high23 = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
    c[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
    c[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
    c[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
    c[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
    UNROLL for (size_t j = 0; j < 4; j++) memcpy(packed + (k + j) * rows, &c[j], sizeof c[j]);
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
