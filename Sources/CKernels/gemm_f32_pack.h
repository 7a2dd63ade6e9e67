/// Packing into the orders the kernels of `gemm_f32.h` read; included by it.

static void pack_a(size_t rows, size_t depth, const float *restrict a, size_t row_stride, size_t column_stride,
                   float *restrict packed) {
  if (row_stride == 1) {
    for (size_t k = 0; k < depth; k++)
      for (size_t i = 0; i < rows; i++) packed[k * rows + i] = a[k * column_stride + i];
    return;
  }
  // Blocks of columns keep the lines being written in the first-level cache.
  for (size_t start = 0; start < depth; start += 64) {
    size_t end = depth - start > 64 ? start + 64 : depth;
    for (size_t i = 0; i < rows; i++)
      for (size_t k = start; k < end; k++) packed[k * rows + i] = a[i * row_stride + k * column_stride];
  }
}

static void pack_b(size_t depth, size_t columns, const void *b, size_t ldb, bool transposed, float alpha,
                   float *restrict panel) {
  const unaligned_float *source = b;
  if (columns > NR) columns = NR;
  if (!transposed) {
    for (size_t k = 0; k < depth; k++, source += ldb, panel += NR) {
      if (columns == NR) {
        for (size_t j = 0; j < NR; j++) panel[j] = alpha * source[j];
      } else {
        for (size_t j = 0; j < columns; j++) panel[j] = alpha * source[j];
        for (size_t j = columns; j < NR; j++) panel[j] = 0;
      }
    }
    return;
  }
  for (size_t start = 0; start < depth; start += 64) {
    size_t end = depth - start > 64 ? start + 64 : depth;
    for (size_t j = 0; j < columns; j++)
      for (size_t k = start; k < end; k++) panel[k * NR + j] = alpha * source[j * ldb + k];
    for (size_t k = start; k < end; k++)
      for (size_t j = columns; j < NR; j++) panel[k * NR + j] = 0;
  }
}
