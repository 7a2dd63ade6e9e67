/// The element-wise kernels of one instruction set. An element's result depends on its value alone.
///
/// NaN gives NaN everywhere. Limits are taken at infinities, so silu(-inf) is 0, not NaN.

#include <math.h>

#include "math_f32.h"

/// Lets x * 0 be a limit instead of NaN at -inf.
INLINE vector finite_below(vector x) { return at_least(x, -FLT_MAX); }
INLINE vector positive_part(vector x) { return at_least(x, 0.0f); }
INLINE vector clamp(vector x, float low, float high) { return at_most(at_least(x, low), high); }

INLINE vector apply_relu(vector x, float p0, float p1) { return positive_part(x); }
/// p0: slope.
INLINE vector apply_leaky_relu(vector x, float p0, float p1) { return SELECT(x < 0.0f, x * p0, x); }
INLINE vector apply_sigmoid(vector x, float p0, float p1) { return logistic(x); }
INLINE vector apply_tanh(vector x, float p0, float p1) { return hyperbolic_tangent(x); }
/// p0: alpha.
INLINE vector apply_elu(vector x, float p0, float p1) {
  return SELECT(x < 0.0f, exponential_minus_one(x) * p0, x);
}
/// p0: alpha, p1: gamma.
INLINE vector apply_selu(vector x, float p0, float p1) {
  return SELECT(x < 0.0f, exponential_minus_one(x) * p0, x) * p1;
}
/// p0: alpha.
INLINE vector apply_celu(vector x, float p0, float p1) {
  return SELECT(x < 0.0f, exponential_minus_one(x / p0) * p0, x);
}
/// x Phi(x) = max(x, 0) - |x| (1 - Phi(|x|)).
INLINE vector apply_gelu(vector x, float p0, float p1) {
  return positive_part(x) - weighted_normal_tail(absolute(x));
}
/// x / 2 (1 + tanh(t)) = x sigmoid(2 t), t = sqrt(2 / pi) (x + 0.044715 x^3).
INLINE vector apply_gelu_tanh(vector x, float p0, float p1) {
  vector inner = FMA(x * x, (vector)0.07135481282f, (vector)1.595769122f);
  return finite_below(x) * logistic(x * inner);
}
INLINE vector apply_silu(vector x, float p0, float p1) { return finite_below(x) * logistic(x); }
/// p0: alpha.
INLINE vector apply_swish(vector x, float p0, float p1) { return finite_below(x) * logistic(x * p0); }
/// ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|).
INLINE vector apply_softplus(vector x, float p0, float p1) {
  return positive_part(x) + logarithm_of_one_plus(exponential(-absolute(x)));
}
INLINE vector apply_softsign(vector x, float p0, float p1) {
  vector limited = clamp(x, -FLT_MAX, FLT_MAX);
  return limited / (absolute(limited) + 1.0f);
}
/// p0: alpha, p1: beta; max(0, min(1, alpha x + beta)).
INLINE vector apply_hard_sigmoid(vector x, float p0, float p1) { return clamp(x * p0 + p1, 0.0f, 1.0f); }
/// x max(0, min(1, x / 6 + 1 / 2)).
INLINE vector apply_hard_swish(vector x, float p0, float p1) {
  return finite_below(x) * (clamp(x + 3.0f, 0.0f, 6.0f) / 6.0f);
}
/// x tanh(ln(1 + e^x)) = x n / (n + 2), n = e^x (e^x + 2).
INLINE vector apply_mish(vector x, float p0, float p1) {
  vector e = exponential(at_most(x, 20.0f));
  vector n = e * (e + 2.0f);
  return finite_below(x) * (n / (n + 2.0f));
}
/// p0: low, p1: high.
INLINE vector apply_clip(vector x, float p0, float p1) { return clamp(x, p0, p1); }
/// p0: alpha.
INLINE vector apply_thresholded_relu(vector x, float p0, float p1) {
  vector bound = p0;
  return SELECT(x <= bound, 0.0f, x);
}
INLINE vector apply_exp(vector x, float p0, float p1) { return exponential(x); }
INLINE vector apply_log(vector x, float p0, float p1) { return logarithm(x); }
INLINE vector apply_sqrt(vector x, float p0, float p1) { return __builtin_elementwise_sqrt(x); }
INLINE vector apply_reciprocal(vector x, float p0, float p1) { return 1.0f / x; }
INLINE vector apply_abs(vector x, float p0, float p1) { return absolute(x); }
INLINE vector apply_negate(vector x, float p0, float p1) { return -x; }
INLINE vector apply_erf(vector x, float p0, float p1) { return error_function(x); }

#define X(operation) \
  static void unary_##operation(size_t rows, size_t columns, const float *x, float *y, size_t stride, float p0, \
                                float p1) { \
    for (size_t i = 0; i < rows; i++, x += stride, y += stride) { \
      size_t j = 0; \
      for (; j + LANES <= columns; j += LANES) store(apply_##operation(load(x + j), p0, p1), y + j); \
      if (j < columns) \
        store_part(apply_##operation(load_part(x + j, columns - j, 0.0f), p0, p1), y + j, columns - j); \
    } \
  }
NN_UNARY_F32_OPERATIONS(X)
#undef X

const nn_unary_f32_kernel CONCAT(unary_f32, ISA)[nn_unary_count] = {
#define X(operation) {#operation "_f32__" STRING(ISA), unary_##operation},
    NN_UNARY_F32_OPERATIONS(X)
#undef X
};
