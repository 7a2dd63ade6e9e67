/// Declares every kernel the lists name.
#pragma once

#include "CKernels.h"

#define X(MR, NR, isa) extern const nn_gemm_f32_kernel gemm_f32_##MR##x##NR##__##isa;
NN_GEMM_F32_KERNELS(X)
#undef X

#define X(name, isa) extern const nn_gemm_u8s8_kernel name##__##isa;
NN_GEMM_U8S8_KERNELS(X)
#undef X

#define X(isa) \
  extern const nn_unary_f32_kernel unary_f32__##isa[nn_unary_count]; \
  extern const nn_binary_f32_kernel binary_f32__##isa[nn_binary_count]; \
  extern const nn_row_f32_kernels rows_f32__##isa; \
  extern const nn_quantise_kernels quantise__##isa; \
  extern const nn_gemm_codes_kernel gemm_codes__##isa; \
  extern const nn_optimizer_f32_kernel optimizer_f32__##isa[nn_optimizer_count]; \
  extern const nn_read_kernel read_f32__##isa;
NN_INSTRUCTION_SETS(X)
#undef X

#define X(quantity, isa) extern const nn_peak_kernel peak_##quantity##__##isa;
NN_PEAK_KERNELS(X)
#undef X
