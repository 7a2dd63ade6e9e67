/// Micro-kernels for dense networks, selected at run time by instruction set.
///
/// Vector code is written once per family against a small vector vocabulary (`vector.h`) and compiled once per
/// instruction set. All arithmetic is IEEE 754 without contraction, so the instruction sets agree bit for bit.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "KernelList.h"

/// Depth of one k-block of Gemm: inside a block an element is one FMA chain from zero; blocks are then added in order.
enum { nn_gemm_block_depth = 512 };

/// Instruction sets in ascending order of preference.
enum {
#define X(isa) nn_isa_##isa,
  NN_INSTRUCTION_SETS(X)
#undef X
      nn_isa_count
};

/// Positions of the element-wise operations in the tables.
enum {
#define X(operation) nn_unary_##operation,
  NN_UNARY_F32_OPERATIONS(X)
#undef X
      nn_unary_count
};

enum {
#define X(operation) nn_binary_##operation,
  NN_BINARY_F32_OPERATIONS(X)
#undef X
      nn_binary_count
};

/// Positions of the update rules in the tables.
enum {
#define X(rule, slots) nn_optimizer_##rule,
  NN_OPTIMIZERS(X)
#undef X
      nn_optimizer_count
};

/// Positions of the reductions in `nn_row_f32_kernels`.
enum {
  nn_reduction_sum,
  nn_reduction_square_sum,
  nn_reduction_magnitude_sum,
  nn_reduction_largest,
  nn_reduction_smallest,
  nn_reduction_count
};

/// Values of the memory that each thread has for a task's intermediate results.
enum { nn_thread_scratch_count = 4096 };

/// What a peak is counted in.
enum { nn_peak_f32, nn_peak_bf16, nn_peak_int8 };

/// Instructions that a processor may have beside those of its instruction set: dot products of bytes and of bfloat16.
enum { nn_feature_none, nn_feature_dot_int8, nn_feature_dot_bf16 };

#pragma clang assume_nonnull begin

/// The calling thread's memory of `nn_thread_scratch_count` values, on a 64-byte boundary. A task that uses it calls
/// nothing else that does.
float *nn_thread_scratch(void);

/// One k-block of an output tile: C[rows x columns] = A * B (+ C when `accumulate`) (+ bias when not null), values below 0
/// replaced by 0 when `rectifies`.
///
/// `a` is [depth][rows], as `pack_a` writes it; `b` is a block of one panel, [depth][NR], in the form of the kernel.
/// rows <= MR, columns <= NR; `bias` has `columns` values. Nothing outside rows x columns of `c` is read or written.
/// Step k asks for the cache line `k * next_step` bytes after `next` ahead of its use by a later call; the address need
/// not be valid.
typedef void (*nn_gemm_tile_f32)(size_t rows, size_t depth, const float *a, const void *b, float *c, size_t ldc,
                                 size_t columns, const float *_Nullable bias, bool rectifies, bool accumulate,
                                 const void *next, size_t next_step);

/// All k-blocks of a few rows over consecutive panels: C[rows x columns] = A * B (+ bias when not null), values below 0
/// replaced by 0 when `rectifies`.
///
/// `a` is row-major with stride `lda`; `b` is the first of ceil(columns / NR) whole panels [depth][NR], in the form of
/// the kernel. rows <= stream_rows.
typedef void (*nn_gemm_stream_f32)(size_t rows, size_t depth, const float *a, size_t lda, const void *b, float *c,
                                   size_t ldc, size_t columns, const float *_Nullable bias, bool rectifies);

/// Copies `rows` x `depth` of A, rows `row_stride` and columns `column_stride` floats apart, to `packed` [depth][rows].
typedef void (*nn_gemm_pack_a_f32)(size_t rows, size_t depth, const float *a, size_t row_stride, size_t column_stride,
                                   float *packed);

/// Copies columns of B times `alpha` to one panel [depth][NR], the columns past `columns` set to zero. Forms of 16 bits
/// round to nearest, ties to even.
///
/// `b` may be unaligned. Element (k, j) lies `k * ldb + j` floats from `b`, or `j * ldb + k` when `transposed`.
typedef void (*nn_gemm_pack_b_f32)(size_t depth, size_t columns, const void *b, size_t ldb, bool transposed,
                                   float alpha, void *panel);

/// The kernels for one form that packed weights have in memory. All compute in float32.
typedef struct {
  const char *name;
  /// Bytes of a packed weight.
  size_t weight_size;
  nn_gemm_tile_f32 tile;
  nn_gemm_stream_f32 stream;
  nn_gemm_pack_b_f32 pack_b;
} nn_gemm_form_f32;

typedef struct {
  int isa;
  size_t mr, nr, stream_rows;
  nn_gemm_pack_a_f32 pack_a;
  /// Weights as float32, and rounded to bfloat16.
  const nn_gemm_form_f32 *f32, *bf16;
} nn_gemm_f32_kernel;

/// Groups of k whose weights did not fit the main part of a panel; `values` has [count][NR][group] of them.
typedef struct {
  size_t count;
  const int32_t *groups;
  const int8_t *values;
  /// The left side's first row at k = 0.
  const uint8_t *left;
} nn_split_groups;

/// 32-bit sums of an output tile: C[rows x NR] = A * B (+ C when `accumulate`), exact modulo 2^32.
///
/// `a` is the first of `rows` rows of carried codes, `lda` bytes apart, `groups` * 4 bytes each; `b` is a block of one
/// panel, [groups][NR][group]. The products of `split`, if any, are added. rows <= MR; `c` has whole rows of NR.
typedef void (*nn_gemm_tile_u8s8)(size_t rows, size_t groups, const uint8_t *a, size_t lda, const int8_t *b,
                                  const nn_split_groups *_Nullable split, int32_t *c, size_t ldc, bool accumulate);

/// Copies columns of B, xor `flip`, to one panel [ceil(depth / group)][NR][group] with zeros where B ends, and their sums
/// over k to NR `sums`. Element (k, j) lies `k * ldb + j` bytes from `b`, or `j * ldb + k` when `transposed`.
typedef void (*nn_gemm_pack_b_u8s8)(size_t depth, size_t columns, const uint8_t *b, size_t ldb, bool transposed,
                                    uint8_t flip, int8_t *panel, int32_t *sums);

/// Moves the part of weights that makes products overflow out of a panel; returns the number of groups that have one.
/// Without `indices` it counts only.
typedef size_t (*nn_gemm_split_u8s8)(size_t groups, int8_t *panel, int32_t *_Nullable indices,
                                     int8_t *_Nullable values);

typedef struct {
  const char *name;
  int isa, feature;
  /// Rows and columns of the tile; neighbours along k in a group; bytes of a carried code of the left side; what is
  /// subtracted of the codes before they are carried.
  size_t mr, nr, group, left_width;
  int32_t left_offset;
  nn_gemm_tile_u8s8 tile;
  nn_gemm_pack_b_u8s8 pack_b;
  /// NULL where weights of any size may stand.
  nn_gemm_split_u8s8 _Nullable split;
} nn_gemm_u8s8_kernel;

/// How floats become codes: round(x / scale) + zero, or round(x * scale) + zero when it `multiplies`, within bounds.
typedef struct {
  /// One for each row, or one for all when the stride is 0.
  const float *scales;
  size_t scale_stride;
  const int32_t *zeros;
  size_t zero_stride;
  bool multiplies;
  int32_t lowest, highest;
} nn_code_scaling;

/// What turns sums of products into results. Arrays over columns have whole vectors of 16.
typedef struct {
  /// For each row what is multiplied with the columns' sums of B and added; one for all when the stride is 0.
  const int32_t *left;
  size_t left_stride;
  const int32_t *column_sums;
  /// For each row what is multiplied with the columns' zero points and subtracted; both or none.
  const int32_t *_Nullable row_terms;
  const int32_t *_Nullable right_zeros;
  /// Added to the sums.
  const int32_t *_Nullable offsets;
  /// The factor is row scale * column scale; sums are divided by it when it `divides`.
  const float *row_scales;
  size_t row_scale_stride;
  const float *column_scales;
  bool divides;
  const float *_Nullable bias;
  /// Whether negative results are replaced by 0.
  bool rectifies;
  /// The least and the largest of the results and 0 are written here; NaN does not count.
  float *_Nullable range;
} nn_sum_terms;

typedef void (*nn_quantise)(size_t rows, size_t columns, const float *x, size_t ldx, const nn_code_scaling *scaling,
                            void *y, size_t ldy);
typedef void (*nn_carry)(size_t rows, size_t columns, const uint8_t *x, size_t ldx, uint8_t flip, void *y, size_t ldy);

/// Between floats, codes and sums. `ldx` counts elements, `ldy` of codes bytes.
typedef struct {
  const char *name;
  int isa;
  /// The least and the largest of some values and 0; NaN does not count.
  void (*range)(size_t count, const float *x, float *lowest, float *highest);
  /// The largest magnitude of each row; NaN when there is one.
  void (*magnitudes)(size_t rows, size_t columns, const float *x, size_t ldx, float *y);
  /// To codes of one and of two bytes.
  nn_quantise _Nonnull quantise[2];
  /// Bytes xor `flip` as values of one and of two bytes.
  nn_carry _Nonnull carry[2];
  /// The sum of the bytes xor `flip` of each row, read as unsigned.
  void (*byte_sums)(size_t rows, size_t columns, const uint8_t *x, size_t ldx, uint8_t flip, int32_t *y);
  /// Sums of B's products, whole rows of 16, as integers without scales or as floats with bias.
  void (*finish_integers)(size_t rows, size_t columns, const int32_t *sums, size_t lds, const nn_sum_terms *terms,
                          int32_t *y, size_t ldy);
  void (*finish_floats)(size_t rows, size_t columns, const int32_t *sums, size_t lds, const nn_sum_terms *terms,
                        float *y, size_t ldy);
} nn_quantise_kernels;

/// Weights (code - zero) * scale in panels of the float32 Gemm's width, the codes unsigned.
///
/// Codes of 8 bits are [panels][depth][NR]; of 4 bits [panels][ceil(depth / 8)][NR] words of 32 bits, the lowest k in the lowest
/// bits. Scales and zero points are [panels][ceil(depth / block)][NR]; without zero points `zero` is all of them. For 4 bits
/// the block is a multiple of 8 unless there is one only.
typedef struct {
  const uint8_t *codes;
  const float *scales;
  const uint8_t *_Nullable zeros;
  float zero;
  size_t depth, block;
  int bits;
} nn_code_panels;

typedef struct {
  const char *name;
  int isa;
  size_t nr, stream_rows;
  /// C[rows x columns] = A * B (+ bias) for the columns from the first of a panel on, rows <= stream_rows.
  void (*stream)(const nn_code_panels *panels, size_t panel, size_t rows, const float *a, size_t lda, float *c,
                 size_t ldc, size_t columns, const float *_Nullable bias);
} nn_gemm_codes_kernel;

/// y = f(x) over `rows` x `columns`, both with rows `stride` apart; `x` and `y` are equal or disjoint.
typedef void (*nn_unary_f32)(size_t rows, size_t columns, const float *x, float *y, size_t stride, float p0, float p1);

/// One operand of a binary operation: rows `row_stride` floats apart (0 repeats one row); `is_constant` repeats the
/// first value of each row over its columns.
typedef struct {
  const float *values;
  size_t row_stride;
  bool is_constant;
} nn_operand_f32;

/// z = x op y over `rows` x `columns`; `z` may equal an operand of the same shape.
typedef void (*nn_binary_f32)(size_t rows, size_t columns, nn_operand_f32 x, nn_operand_f32 y, float *z,
                              size_t z_stride);

typedef struct {
  const char *name;
  nn_unary_f32 function;
} nn_unary_f32_kernel;

typedef struct {
  const char *name;
  nn_binary_f32 function;
} nn_binary_f32_kernel;

/// What happens to a gradient before an update: times `scale`, then cut to -limit ... limit unless the limit is 0; and
/// to the parameter: less `decay` of itself.
typedef struct {
  float scale, limit, decay;
} nn_gradient_transform;

/// Updates `count` parameters `w` by their gradients, and the slots `a`, `b`, `c` that the rule has, element by element;
/// `p` are the numbers of the rule. The arrays are disjoint.
typedef void (*nn_optimizer_f32)(size_t count, float *w, const float *g, float *_Nullable a, float *_Nullable b,
                                 float *_Nullable c, nn_gradient_transform transform, const float *p);

typedef struct {
  const char *name;
  size_t slots;
  nn_optimizer_f32 function;
} nn_optimizer_f32_kernel;

/// One value for each contiguous row.
typedef void (*nn_row_reduction_f32)(size_t rows, size_t columns, const float *x, double *y);

/// Functions of contiguous rows. Each row is reduced in one fixed order, whatever the number of rows; `x` and `y` are
/// equal or disjoint.
typedef struct {
  const char *name;
  int isa;
  /// y = exp(x - max) / sum(exp(x - max)).
  void (*softmax)(size_t rows, size_t columns, const float *x, float *y);
  /// y = (x - max) - log(sum(exp(x - max))).
  void (*log_softmax)(size_t rows, size_t columns, const float *x, float *y);
  /// y = (x - mean) / sqrt(variance + epsilon) * scale + offset, mean first, then the variance about it. The mean is 0
  /// unless `centred`. Means and inverse deviations are written where asked for.
  void (*layer_norm)(size_t rows, size_t columns, const float *x, const float *_Nullable scale,
                     const float *_Nullable offset, bool centred, float epsilon, float *y, float *_Nullable means,
                     float *_Nullable inverses);
  /// y = x * scale + offset, one pair a column, as one fused operation.
  void (*affine)(size_t rows, size_t columns, const float *x, const float *scale, const float *offset, float *y);
  /// By `nn_reduction_...`: one value a row in double precision, the sums in 16 lanes of it.
  nn_row_reduction_f32 _Nonnull reductions[nn_reduction_count];
} nn_row_f32_kernels;

/// Nothing but arithmetic in registers, to find the most that a core does.
typedef struct {
  const char *name;
  int isa, quantity, feature;
  /// Operations of one iteration, a multiply-add being two.
  size_t operations;
  /// The result means nothing; it keeps the compiler from leaving the work out.
  float (*run)(size_t iterations);
} nn_peak_kernel;

/// Reads `count` floats, as several sections side by side; a rest of less than 128 floats may stay unread.
typedef uint32_t (*nn_read_f32)(const float *p, size_t count);

/// Numbers of sections that there are functions for.
enum { nn_read_section_counts = 3 };

typedef struct {
  const char *name;
  int isa;
  /// With 1, 2 and 4 sections.
  nn_read_f32 _Nonnull run[nn_read_section_counts];
} nn_read_kernel;

/// Whether the processor and the operating system run an instruction set.
bool nn_isa_is_available(int isa);
/// Whether the processor has the instructions of a feature, in the form that the kernels of an instruction set use.
bool nn_feature_is_available(int feature, int isa);
/// `scalar`, `avx2` and so on.
const char *nn_isa_name(int isa);

size_t nn_gemm_f32_count(void);
/// The rows of `NN_GEMM_F32_KERNELS` in order.
const nn_gemm_f32_kernel *nn_gemm_f32_kernel_at(size_t index);
size_t nn_gemm_u8s8_count(void);
/// The rows of `NN_GEMM_U8S8_KERNELS` in order.
const nn_gemm_u8s8_kernel *nn_gemm_u8s8_kernel_at(size_t index);
/// `nn_unary_count` rows of one instruction set.
const nn_unary_f32_kernel *nn_unary_f32_kernels_for(int isa);
/// `nn_binary_count` rows of one instruction set.
const nn_binary_f32_kernel *nn_binary_f32_kernels_for(int isa);
const nn_row_f32_kernels *nn_row_f32_kernels_for(int isa);
const nn_quantise_kernels *nn_quantise_kernels_for(int isa);
const nn_gemm_codes_kernel *nn_gemm_codes_kernel_for(int isa);
/// `nn_optimizer_count` rows of one instruction set.
const nn_optimizer_f32_kernel *nn_optimizer_f32_kernels_for(int isa);
const nn_read_kernel *nn_read_kernel_for(int isa);

size_t nn_peak_kernel_count(void);
/// The rows of `NN_PEAK_KERNELS` in order.
const nn_peak_kernel *nn_peak_kernel_at(size_t index);

/// Processors this process may run on, at least 1.
size_t nn_processor_count(void);
/// Keeps the calling thread on the processor at a position, modulo their number, among those the first thread of the process
/// may run on; false where the system does not let it.
bool nn_pin_thread(size_t index);

/// A pause inside a spin loop.
static inline void nn_spin_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#pragma clang assume_nonnull end
