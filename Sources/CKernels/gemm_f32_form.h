/// The Gemm kernels for one form of packed weights; included by `gemm_f32.h` once for each:
///
/// - `FORM`: the suffix; `WEIGHT`: the type of a packed weight
/// - `WIDEN(v, p)`: loads LANES weights as floats; `NARROW(x)`: a float as a weight

#define OF_FORM(name) JOIN(JOIN(name, _), FORM)
#define PER_FLOAT (sizeof(float) / sizeof(WEIGHT))
/// Whether vector j of a panel row starts a cache line.
#define IS_LINE_OF_WEIGHTS(j) ((j) * LANES % (16 * PER_FLOAT) == 0)

/// A tile of R rows and V vectors of a panel.
#define DEFINE_TILE(name, R, V) \
  static __attribute__((noinline)) void OF_FORM(JOIN(name##_, R))(size_t depth, const float *restrict a, \
      const WEIGHT *restrict b, float *restrict c, size_t ldc, size_t columns, const float *bias, bool rectifies, \
      bool accumulate, const char *next, size_t next_step) { \
    vector sums[R][V]; \
    UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < V; j++) sums[i][j] = 0; \
    UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < V; j++) \
        if (IS_LINE(j)) __builtin_prefetch(c + i * ldc + j * LANES, 0, 2); \
    _Pragma("clang loop unroll_count(4)") for (size_t k = 0; k < depth; k++, a += R, b += NR, next += next_step) { \
      vector right[V]; \
      __builtin_prefetch(next, 0, 2); \
      UNROLL for (size_t j = 0; j < V; j++) { \
        WIDEN(&right[j], b + j * LANES); \
        if (TILE_PREFETCH && IS_LINE_OF_WEIGHTS(j)) __builtin_prefetch(b + TILE_PREFETCH * PER_FLOAT * NR + j * LANES); \
      } \
      UNROLL for (size_t i = 0; i < R; i++) { \
        vector left = a[i]; \
        UNROLL for (size_t j = 0; j < V; j++) sums[i][j] = \
            __builtin_elementwise_fma(left, right[j], sums[i][j]); \
      } \
    } \
    UNROLL for (size_t i = 0; i < R; i++) \
        finish_row(sums[i], V, c + i * ldc, columns, bias, rectifies, accumulate); \
  }

#define DEFINE_TILES(R) \
  DEFINE_TILE(tile_whole, R, VECTORS) \
  DEFINE_TILE(tile_narrow, R, 1)

/// One step of k with the operand in registers that has fewer vectors, so that the sums leave room for both.
#define STEP_LEFT(R, V) \
  vector left[R]; \
  UNROLL for (size_t i = 0; i < R; i++) left[i] = a[i * lda + k]; \
  UNROLL for (size_t j = 0; j < V; j++) { \
    vector right; \
    STREAM_RIGHT(right, j, V) \
    UNROLL for (size_t i = 0; i < R; i++) sums[i][j] = __builtin_elementwise_fma(left[i], right, sums[i][j]); \
  }

#define STEP_RIGHT(R, V) \
  vector right[V]; \
  UNROLL for (size_t j = 0; j < V; j++) { STREAM_RIGHT(right[j], j, V) } \
  UNROLL for (size_t i = 0; i < R; i++) { \
    vector left = a[i * lda + k]; \
    UNROLL for (size_t j = 0; j < V; j++) sums[i][j] = __builtin_elementwise_fma(left, right[j], sums[i][j]); \
  }

/// Panels that V vectors are of.
#define PANELS(V) ((V + VECTORS - 1) / VECTORS)
/// Loads vector j of the panels and fetches what comes STREAM_PREFETCH steps later, divided by the number of panels.
#define STREAM_RIGHT(target, j, V) \
  const WEIGHT *p = b + j / VECTORS * stride + j % VECTORS * LANES; \
  WIDEN(&target, p); \
  if (IS_LINE_OF_WEIGHTS(j % VECTORS)) __builtin_prefetch(p + STREAM_PREFETCH * PER_FLOAT / PANELS(V) * NR);

#define DEFINE_STREAM(name, R, V) \
  static __attribute__((noinline)) void OF_FORM(JOIN(name##_, R))(size_t depth, const float *restrict a, size_t lda, \
      const WEIGHT *restrict b, float *restrict c, size_t ldc, size_t columns, const float *bias, bool rectifies) { \
    size_t stride = depth * NR, start = 0; \
    do { \
      size_t end = depth - start > nn_gemm_block_depth ? start + nn_gemm_block_depth : depth; \
      vector sums[R][V]; \
      UNROLL for (size_t i = 0; i < R; i++) UNROLL for (size_t j = 0; j < V; j++) sums[i][j] = 0; \
      for (size_t k = start; k < end; k++, b += NR) { \
        if (R < V) { STEP_LEFT(R, V) } else { STEP_RIGHT(R, V) } \
      } \
      UNROLL for (size_t i = 0; i < R; i++) \
          finish_row(sums[i], V, c + i * ldc, columns, end == depth ? bias : NULL, \
                     rectifies && end == depth, start > 0); \
      start = end; \
    } while (start < depth); \
  }

#define DEFINE_STREAMS(R, P) \
  DEFINE_STREAM(stream_group, R, P * VECTORS) \
  DEFINE_STREAM(stream_single, R, VECTORS) \
  DEFINE_STREAM(stream_narrow, R, 1)

TILE_ROWS(DEFINE_TILES)
STREAM_SHAPES(DEFINE_STREAMS)

static void OF_FORM(tile)(size_t rows, size_t depth, const float *a, const void *b, float *c, size_t ldc,
                          size_t columns, const float *bias, bool rectifies, bool accumulate, const void *next,
                          size_t next_step) {
  switch (rows) {
#define X(R) \
  case R: \
    (columns > LANES ? OF_FORM(JOIN(tile_whole_, R)) : OF_FORM(JOIN(tile_narrow_, R)))( \
        depth, a, b, c, ldc, columns, bias, rectifies, accumulate, next, next_step); \
    break;
    TILE_ROWS(X)
#undef X
  }
}

static void OF_FORM(stream)(size_t rows, size_t depth, const float *a, size_t lda, const void *panels, float *c,
                            size_t ldc, size_t columns, const float *bias, bool rectifies) {
  const WEIGHT *b = panels;
  size_t j = 0;
  switch (rows) {
#define X(R, P) \
  case R: \
    for (; j + (P - 1) * NR + (P == 1 ? LANES : 0) < columns; j += P * NR) \
      OF_FORM(JOIN(stream_group_, R))(depth, a, lda, b + j * depth, c + j, ldc, columns - j, bias ? bias + j : NULL, \
                                      rectifies); \
    for (; j < columns; j += NR) \
      (columns - j > LANES ? OF_FORM(JOIN(stream_single_, R)) : OF_FORM(JOIN(stream_narrow_, R)))( \
          depth, a, lda, b + j * depth, c + j, ldc, columns - j, bias ? bias + j : NULL, rectifies); \
    break;
    STREAM_SHAPES(X)
#undef X
  }
}

static void OF_FORM(pack_b)(size_t depth, size_t columns, const void *b, size_t ldb, bool transposed, float alpha,
                            void *packed) {
  WEIGHT *restrict panel = packed;
  const unaligned_float *source = b;
  if (columns > NR) columns = NR;
  if (!transposed) {
    for (size_t k = 0; k < depth; k++, source += ldb, panel += NR) {
      if (columns == NR) {
        for (size_t j = 0; j < NR; j++) panel[j] = NARROW(alpha * source[j]);
      } else {
        for (size_t j = 0; j < columns; j++) panel[j] = NARROW(alpha * source[j]);
        for (size_t j = columns; j < NR; j++) panel[j] = 0;
      }
    }
    return;
  }
  for (size_t start = 0; start < depth; start += 64) {
    size_t end = depth - start > 64 ? start + 64 : depth;
    for (size_t j = 0; j < columns; j++)
      for (size_t k = start; k < end; k++) panel[k * NR + j] = NARROW(alpha * source[j * ldb + k]);
    for (size_t k = start; k < end; k++)
      for (size_t j = columns; j < NR; j++) panel[k * NR + j] = 0;
  }
}

static const nn_gemm_form_f32 OF_FORM(form) = {
    STRING(CONCAT(JOIN(JOIN(JOIN(gemm_, FORM), _), TILE), ISA)), sizeof(WEIGHT), OF_FORM(tile), OF_FORM(stream),
    OF_FORM(pack_b),
};

#undef OF_FORM
#undef PER_FLOAT
#undef IS_LINE_OF_WEIGHTS
#undef DEFINE_TILE
#undef DEFINE_STREAM
#undef STEP_LEFT
#undef STEP_RIGHT
#undef STREAM_RIGHT
#undef PANELS
#undef DEFINE_TILES
#undef DEFINE_STREAMS
#undef FORM
#undef WEIGHT
#undef WIDEN
#undef NARROW
