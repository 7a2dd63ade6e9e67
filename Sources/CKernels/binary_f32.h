/// The binary element-wise kernels of one instruction set.

#include "vector.h"

INLINE vector apply_add(vector x, vector y) { return x + y; }
INLINE vector apply_sub(vector x, vector y) { return x - y; }
INLINE vector apply_mul(vector x, vector y) { return x * y; }
INLINE vector apply_div(vector x, vector y) { return x / y; }
/// NaN when either operand is.
INLINE vector apply_min(vector x, vector y) { return SELECT((x < y) | (x != x), x, y); }
INLINE vector apply_max(vector x, vector y) { return SELECT((x > y) | (x != x), x, y); }

INLINE vector load_operand(const float *row, size_t j, bool is_constant) {
  return is_constant ? (vector)row[0] : load(row + j);
}
INLINE vector load_operand_part(const float *row, size_t j, size_t count, bool is_constant) {
  return is_constant ? (vector)row[0] : load_part(row + j, count, 1.0f);
}

#define X(operation) \
  static void binary_##operation(size_t rows, size_t columns, nn_operand_f32 x, nn_operand_f32 y, float *z, \
                                 size_t z_stride) { \
    for (size_t i = 0; i < rows; i++, z += z_stride) { \
      const float *left = x.values + i * x.row_stride, *right = y.values + i * y.row_stride; \
      size_t j = 0; \
      for (; j + LANES <= columns; j += LANES) \
        store(apply_##operation(load_operand(left, j, x.is_constant), load_operand(right, j, y.is_constant)), \
              z + j); \
      if (j < columns) \
        store_part(apply_##operation(load_operand_part(left, j, columns - j, x.is_constant), \
                                     load_operand_part(right, j, columns - j, y.is_constant)), \
                   z + j, columns - j); \
    } \
  }
NN_BINARY_F32_OPERATIONS(X)
#undef X

const nn_binary_f32_kernel CONCAT(binary_f32, ISA)[nn_binary_count] = {
#define X(operation) {#operation "_f32__" STRING(ISA), binary_##operation},
    NN_BINARY_F32_OPERATIONS(X)
#undef X
};
