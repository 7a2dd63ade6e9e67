/// Elementary functions on vectors. Minimax polynomials are fitted for relative error on the stated range.
///
/// The bounds hold for all floats; where a result is subnormal the error is at most one unit of its last place.
#pragma once

#include "vector.h"

/// Coefficients from the constant term upwards, evaluated by Horner's rule with FMA.
#define POLYNOMIAL(x, ...) \
  ({ \
    static const float c[] = {__VA_ARGS__}; \
    const int degree = sizeof c / sizeof c[0] - 1; \
    vector sum = c[degree]; \
    _Pragma("clang loop unroll(full)") for (int i = degree - 1; i >= 0; i--) sum = FMA(sum, x, (vector)c[i]); \
    sum; \
  })

/// x = n ln 2 + r with |r| <= ln 2 / 2; returns r, and n as an integer. |x| < 2^21. NaN gives r NaN.
INLINE vector reduce_by_ln2(vector x, bit_vector *n) {
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  const float magic = 12582912.0f;
  vector shifted = FMA(x, (vector)1.44269504f, (vector)magic);
  vector whole = shifted - magic;
  *n = BITS(shifted) - 0x4b400000u;
  vector r = FMA(whole, (vector)-0.693359375f, x);
  return FMA(whole, (vector)2.12194440e-4f, r);
}

/// exp(r) - 1 for |r| <= 0.3475.
INLINE vector expm1_reduced(vector r) {
  vector q = POLYNOMIAL(r, 5.e-01f, 1.6666667e-01f, 4.1666463e-02f, 8.333361e-03f, 1.3933837e-03f, 1.9857884e-04f);
  return FMA(r * r, q, r);
}

/// 2^n for -126 <= n <= 127.
INLINE vector power_of_two(bit_vector n) { return FLOATS((n + 127u) << 23); }

/// exp(x), <= 1 ulp; 0 below -103.98, +inf above 88.7229.
INLINE vector exponential(vector x) {
  bit_vector n;
  vector r = reduce_by_ln2(at_least(at_most(x, 89.0f), -104.0f), &n);
  vector p = expm1_reduced(r) + 1.0f;
  // Two factors: one could not represent 2^128 or 2^-150.
  int_vector half = (int_vector)n >> 1;
  bit_vector first = (bit_vector)half;
  return p * power_of_two(first) * power_of_two(n - first);
}

/// exp(x) - 1 for x <= 88, <= 2 ulp; larger x count as 88.
INLINE vector exponential_minus_one(vector x) {
  bit_vector n;
  vector r = reduce_by_ln2(at_least(at_most(x, 88.0f), -40.0f), &n);
  vector scale = power_of_two(n);
  return FMA(scale, expm1_reduced(r), scale - 1.0f);
}

/// ln(x), <= 1 ulp; -inf at 0, NaN below.
INLINE vector logarithm(vector x) {
  int_vector is_subnormal = x < FLT_MIN;
  vector scaled = SELECT(is_subnormal, x * 8388608.0f, x);
  // m in [sqrt(1/2), sqrt(2)): the offset is sqrt(1/2)'s representation.
  bit_vector offset = BITS(scaled) - 0x3f3504f3u;
  int_vector exponent = (int_vector)offset >> 23;
  vector e = __builtin_convertvector(exponent, vector) - SELECT(is_subnormal, 23.0f, 0.0f);
  vector f = FLOATS((offset & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
  vector q = POLYNOMIAL(f, 3.333333e-01f, -2.4999994e-01f, 2.0000716e-01f, -1.6668062e-01f, 1.4249273e-01f,
                        -1.2419977e-01f, 1.1677361e-01f, -1.1516066e-01f, 7.0385434e-02f);
  vector square = f * f;
  vector tail = FMA(square * f, q, square * -0.5f);
  tail = FMA(e, (vector)-2.12194440e-4f, tail);
  vector y = FMA(e, (vector)0.693359375f, tail + f);
  y = SELECT(x < INFINITY, y, x);
  y = SELECT(x == 0.0f, -INFINITY, y);
  return SELECT(x < 0.0f, NAN, y);
}

/// ln(1 + u) for 0 <= u <= 1, <= 2 ulp.
INLINE vector logarithm_of_one_plus(vector u) {
  return u * POLYNOMIAL(u, 1.e+00f, -4.9999982e-01f, 3.333256e-01f, -2.498727e-01f, 1.9890745e-01f, -1.610568e-01f,
                        1.2418412e-01f, -8.244141e-02f, 4.1477937e-02f, -1.3407392e-02f, 2.0302138e-03f);
}

/// tanh(x) = (e^2x - 1) / (e^2x + 1), <= 3 ulp.
INLINE vector hyperbolic_tangent(vector x) {
  vector e = exponential_minus_one(at_most(absolute(x) * 2.0f, 20.0f));
  return with_sign_of(e / (e + 2.0f), x);
}

/// 1 / (1 + e^-x), <= 3 ulp.
INLINE vector logistic(vector x) {
  vector e = exponential(-absolute(x));
  return SELECT(x < 0.0f, e, 1.0f) / (e + 1.0f);
}

/// erf(x), <= 3 ulp: x P(x^2) up to 1, 1 - exp(-x Q(x)) above.
INLINE vector error_function(vector x) {
  vector a = absolute(x), square = x * x;
  vector near = a * POLYNOMIAL(square, 1.1283791e+00f, -3.7612626e-01f, 1.12835854e-01f, -2.6853811e-02f,
                               5.1883277e-03f, -8.0101925e-04f, 7.853858e-05f);
  vector b = at_most(a, 4.0f);
  vector q = POLYNOMIAL(b, 1.1288545e+00f, 6.343301e-01f, 1.0757697e-01f, -2.491386e-02f, 4.199104e-03f,
                        -4.7090824e-04f, 3.0410009e-05f, -8.114353e-07f);
  vector far = 1.0f - exponential(-b * q);
  return with_sign_of(SELECT(a < 1.0f, near, far), x);
}

/// a * (1 - Phi(a)) for a >= 0, Phi the normal distribution function, within 6e-7 relative.
///
/// 1 - Phi(a) = exp(-a^2 / 2) g(a), with (a + 3) g(a) a polynomial in (a - 3) / (a + 3).
INLINE vector weighted_normal_tail(vector a) {
  a = at_most(a, 15.0f);
  vector square = a * a;
  vector remainder = FMA(a, a, -square);
  vector e = exponential(square * -0.5f);
  e = FMA(e, remainder * -0.5f, e);
  vector inverse = 1.0f / (a + 3.0f);
  vector g = POLYNOMIAL((a - 3.0f) * inverse, 7.2908366e-01f, -5.0933236e-01f, 2.300194e-01f, -4.725512e-02f,
                        -1.0480112e-02f, 6.919234e-03f, 1.07445e-03f, -8.9669006e-04f, -2.6224792e-04f);
  return a * e * (g * inverse);
}
