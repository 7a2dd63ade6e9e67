#include "declarations.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

static const nn_gemm_f32_kernel *const gemm_kernels[] = {
#define X(MR, NR, isa) &gemm_f32_##MR##x##NR##__##isa,
    NN_GEMM_F32_KERNELS(X)
#undef X
};

static const nn_gemm_u8s8_kernel *const integer_gemm_kernels[] = {
#define X(name, isa) &name##__##isa,
    NN_GEMM_U8S8_KERNELS(X)
#undef X
};

static const nn_quantise_kernels *const quantise_kernels[] = {
#define X(isa) &quantise__##isa,
    NN_INSTRUCTION_SETS(X)
#undef X
};

static const nn_gemm_codes_kernel *const code_gemm_kernels[] = {
#define X(isa) &gemm_codes__##isa,
    NN_INSTRUCTION_SETS(X)
#undef X
};

static const nn_unary_f32_kernel *const unary_kernels[] = {
#define X(isa) unary_f32__##isa,
    NN_INSTRUCTION_SETS(X)
#undef X
};

static const nn_binary_f32_kernel *const binary_kernels[] = {
#define X(isa) binary_f32__##isa,
    NN_INSTRUCTION_SETS(X)
#undef X
};

static const nn_row_f32_kernels *const row_kernels[] = {
#define X(isa) &rows_f32__##isa,
    NN_INSTRUCTION_SETS(X)
#undef X
};

static const nn_optimizer_f32_kernel *const optimizer_kernels[] = {
#define X(isa) optimizer_f32__##isa,
    NN_INSTRUCTION_SETS(X)
#undef X
};

static const nn_read_kernel *const read_kernels[] = {
#define X(isa) &read_f32__##isa,
    NN_INSTRUCTION_SETS(X)
#undef X
};

static const nn_peak_kernel *const peak_kernels[] = {
#define X(quantity, isa) &peak_##quantity##__##isa,
    NN_PEAK_KERNELS(X)
#undef X
};

static const char *const isa_names[] = {
#define X(isa) #isa,
    NN_INSTRUCTION_SETS(X)
#undef X
};

bool nn_isa_is_available(int isa) {
  switch (isa) {
    case nn_isa_scalar:
      return true;
#if defined(__x86_64__)
    // __builtin_cpu_supports also asks whether the operating system saves the registers.
    case nn_isa_avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case nn_isa_avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
#elif defined(__aarch64__)
    case nn_isa_neon:
      return true;
#endif
    default:
      return false;
  }
}

bool nn_feature_is_available(int feature, int isa) {
  (void)isa;
  if (feature == nn_feature_none) return true;
#if defined(__x86_64__)
  if (isa == nn_isa_avx2) return feature == nn_feature_dot_int8 && __builtin_cpu_supports("avxvnni");
  if (isa != nn_isa_avx512) return false;
  return feature == nn_feature_dot_int8 ? __builtin_cpu_supports("avx512vnni") : __builtin_cpu_supports("avx512bf16");
#elif defined(__aarch64__) && defined(__linux__)
  // HWCAP_ASIMDDP and HWCAP2_BF16.
  return feature == nn_feature_dot_int8 ? (getauxval(AT_HWCAP) >> 20 & 1) != 0
                                        : (getauxval(AT_HWCAP2) >> 14 & 1) != 0;
#else
  return false;
#endif
}

const char *nn_isa_name(int isa) { return isa_names[isa]; }

size_t nn_gemm_f32_count(void) { return sizeof gemm_kernels / sizeof gemm_kernels[0]; }

const nn_gemm_f32_kernel *nn_gemm_f32_kernel_at(size_t index) { return gemm_kernels[index]; }

size_t nn_gemm_u8s8_count(void) { return sizeof integer_gemm_kernels / sizeof integer_gemm_kernels[0]; }

const nn_gemm_u8s8_kernel *nn_gemm_u8s8_kernel_at(size_t index) { return integer_gemm_kernels[index]; }

const nn_quantise_kernels *nn_quantise_kernels_for(int isa) { return quantise_kernels[isa]; }

const nn_gemm_codes_kernel *nn_gemm_codes_kernel_for(int isa) { return code_gemm_kernels[isa]; }

const nn_unary_f32_kernel *nn_unary_f32_kernels_for(int isa) { return unary_kernels[isa]; }

const nn_binary_f32_kernel *nn_binary_f32_kernels_for(int isa) { return binary_kernels[isa]; }

const nn_row_f32_kernels *nn_row_f32_kernels_for(int isa) { return row_kernels[isa]; }

const nn_optimizer_f32_kernel *nn_optimizer_f32_kernels_for(int isa) { return optimizer_kernels[isa]; }

const nn_read_kernel *nn_read_kernel_for(int isa) { return read_kernels[isa]; }

size_t nn_peak_kernel_count(void) { return sizeof peak_kernels / sizeof peak_kernels[0]; }

const nn_peak_kernel *nn_peak_kernel_at(size_t index) { return peak_kernels[index]; }
