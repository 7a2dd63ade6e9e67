/// The lists every kernel table, declaration and test expands from.
///
/// A kernel is one row, named `what__isa` (`gemm_f32_12x32__avx512`, `tanh_f32__avx2`). A row added here is declared,
/// entered into the run-time table and visited by the tests without further edits.
#pragma once

#if defined(__x86_64__)
#define NN_INSTRUCTION_SETS(X) X(scalar) X(avx2) X(avx512)
/// X(MR, NR, isa): rows and columns of the register tile. The first row of an instruction set is its default.
#define NN_GEMM_F32_KERNELS(X) X(4, 8, scalar) X(6, 16, avx2) X(12, 32, avx512)
/// X(name, isa): products of bytes, in ascending order of preference.
#define NN_GEMM_U8S8_KERNELS(X) \
  X(gemm_u8s8_4x16, scalar) X(gemm_s16s8_6x16, avx2) X(gemm_u8s8_6x16, avx2) X(gemm_u8s8_dot_6x16, avx2) \
  X(gemm_u8s8_12x32, avx512)
/// X(quantity, isa): arithmetic at its peak.
#define NN_PEAK_KERNELS(X) \
  X(f32, scalar) X(f32, avx2) X(f32, avx512) X(int8, avx2) X(int8_dot, avx2) X(int8, avx512) X(bf16, avx512)
#elif defined(__aarch64__)
#define NN_INSTRUCTION_SETS(X) X(scalar) X(neon)
#define NN_GEMM_F32_KERNELS(X) X(4, 8, scalar) X(8, 12, neon)
#define NN_GEMM_U8S8_KERNELS(X) X(gemm_u8s8_4x16, scalar) X(gemm_u8s8_4x16, neon)
#define NN_PEAK_KERNELS(X) X(f32, scalar) X(f32, neon) X(int8, neon) X(bf16, neon)
#else
#define NN_INSTRUCTION_SETS(X) X(scalar)
#define NN_GEMM_F32_KERNELS(X) X(4, 8, scalar)
#define NN_GEMM_U8S8_KERNELS(X) X(gemm_u8s8_4x16, scalar)
#define NN_PEAK_KERNELS(X) X(f32, scalar)
#endif

/// X(operation): element-wise functions of one operand with up to two parameters.
#define NN_UNARY_F32_OPERATIONS(X) \
  X(relu) X(leaky_relu) X(sigmoid) X(tanh) X(elu) X(selu) X(celu) X(gelu) X(gelu_tanh) X(silu) X(swish) \
  X(softplus) X(softsign) X(hard_sigmoid) X(hard_swish) X(mish) X(clip) X(thresholded_relu) X(exp) X(log) X(sqrt) \
  X(reciprocal) X(abs) X(negate) X(erf)

/// X(operation): element-wise functions of two operands.
#define NN_BINARY_F32_OPERATIONS(X) X(add) X(sub) X(mul) X(div) X(min) X(max)

/// X(rule, slots): update rules of optimizers and how many values they keep for each parameter.
#define NN_OPTIMIZERS(X) \
  X(sgd, 0) X(momentum, 1) X(nesterov, 1) X(rmsprop, 1) X(rmsprop_momentum, 2) X(rmsprop_centered, 2) \
  X(rmsprop_centered_momentum, 3) X(adam, 2) X(amsgrad, 3) X(adamax, 2) X(nadam, 2) X(adagrad, 1) X(adadelta, 2) \
  X(lion, 1) X(ftrl, 2)
