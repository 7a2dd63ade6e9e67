/// The update rules of optimizers for one instruction set: parameters, gradients and slots in one pass over memory.

#include "vector.h"

INLINE vector square_root(vector x) { return __builtin_elementwise_sqrt(x); }
INLINE vector larger(vector x, vector y) { return SELECT(x > y, x, y); }
/// -1, 0 or 1.
INLINE vector sign_of(vector x) {
  vector one = 1.0f, zero = 0.0f;
  return SELECT(x > zero, one, SELECT(x < zero, -one, zero));
}

/// What an update rule works on: a block of each array.
typedef struct {
  vector w, g, a, b, c;
} update_block;

INLINE update_block update_sgd(update_block u, const float *p) {
  u.w = u.w - u.g * p[0];
  return u;
}
/// Velocity = momentum velocity - rate gradient.
INLINE update_block update_momentum(update_block u, const float *p) {
  u.a = u.a * p[1] - u.g * p[0];
  u.w = u.w + u.a;
  return u;
}
INLINE update_block update_nesterov(update_block u, const float *p) {
  u.a = u.a * p[1] - u.g * p[0];
  u.w = u.w + (u.a * p[1] - u.g * p[0]);
  return u;
}
/// p: rate, rho, 1 - rho, epsilon, momentum.
INLINE update_block update_rmsprop(update_block u, const float *p) {
  u.a = p[1] * u.a + p[2] * (u.g * u.g);
  u.w = u.w - p[0] * u.g / square_root(u.a + p[3]);
  return u;
}
INLINE update_block update_rmsprop_momentum(update_block u, const float *p) {
  u.a = p[1] * u.a + p[2] * (u.g * u.g);
  u.b = p[4] * u.b + p[0] * u.g / square_root(u.a + p[3]);
  u.w = u.w - u.b;
  return u;
}
INLINE update_block update_rmsprop_centered(update_block u, const float *p) {
  u.a = p[1] * u.a + p[2] * (u.g * u.g);
  u.b = p[1] * u.b + p[2] * u.g;
  u.w = u.w - p[0] * u.g / square_root(u.a - u.b * u.b + p[3]);
  return u;
}
INLINE update_block update_rmsprop_centered_momentum(update_block u, const float *p) {
  u.a = p[1] * u.a + p[2] * (u.g * u.g);
  u.c = p[1] * u.c + p[2] * u.g;
  u.b = p[4] * u.b + p[0] * u.g / square_root(u.a - u.c * u.c + p[3]);
  u.w = u.w - u.b;
  return u;
}
/// p: corrected rate, 1 - beta 1, 1 - beta 2, epsilon.
INLINE update_block update_adam(update_block u, const float *p) {
  u.a = u.a + (u.g - u.a) * p[1];
  u.b = u.b + (u.g * u.g - u.b) * p[2];
  u.w = u.w - u.a * p[0] / (square_root(u.b) + p[3]);
  return u;
}
INLINE update_block update_amsgrad(update_block u, const float *p) {
  u.a = u.a + (u.g - u.a) * p[1];
  u.b = u.b + (u.g * u.g - u.b) * p[2];
  u.c = larger(u.c, u.b);
  u.w = u.w - u.a * p[0] / (square_root(u.c) + p[3]);
  return u;
}
/// p: rate, 1 - beta 1, beta 2, epsilon, 1 - beta 1 to the step.
INLINE update_block update_adamax(update_block u, const float *p) {
  u.a = u.a + (u.g - u.a) * p[1];
  u.b = larger(p[2] * u.b, absolute(u.g));
  u.w = u.w - p[0] * u.a / (p[4] * (u.b + p[3]));
  return u;
}
/// p: rate, 1 - beta 1, 1 - beta 2, epsilon, 1 - beta 2 to the step, factor and divisor of the slot, of the gradient.
INLINE update_block update_nadam(update_block u, const float *p) {
  u.a = u.a + (u.g - u.a) * p[1];
  u.b = u.b + (u.g * u.g - u.b) * p[2];
  vector m = p[5] * u.a / p[6] + p[7] * u.g / p[8];
  u.w = u.w - m * p[0] / (square_root(u.b / p[4]) + p[3]);
  return u;
}
/// p: rate, epsilon.
INLINE update_block update_adagrad(update_block u, const float *p) {
  u.a = u.a + u.g * u.g;
  u.w = u.w - p[0] * u.g / square_root(u.a + p[1]);
  return u;
}
/// p: rate, rho, 1 - rho, epsilon.
INLINE update_block update_adadelta(update_block u, const float *p) {
  u.a = p[1] * u.a + p[2] * (u.g * u.g);
  vector step = -(square_root(u.b + p[3]) * u.g / square_root(u.a + p[3]));
  u.b = p[1] * u.b + p[2] * (step * step);
  u.w = u.w + p[0] * step;
  return u;
}
/// p: rate, beta 1, 1 - beta 1, beta 2, 1 - beta 2.
INLINE update_block update_lion(update_block u, const float *p) {
  u.w = u.w - p[0] * sign_of(u.a * p[1] + u.g * p[2]);
  u.a = u.a * p[3] + u.g * p[4];
  return u;
}

/// p: rate, l1, 2 l2 with the beta term, 2 shrinkage. The power of the accumulator is a half.
INLINE update_block update_ftrl(update_block u, const float *p) {
  vector next = u.a + u.g * u.g, limit = p[1];
  u.b = u.b + ((u.g + p[3] * u.w) - (square_root(next) - square_root(u.a)) / p[0] * u.w);
  vector cut = SELECT(u.b > limit, limit, SELECT(u.b < -limit, -limit, u.b));
  u.w = (cut - u.b) / (square_root(next) / p[0] + p[2]);
  u.a = next;
  return u;
}

/// Brings the gradient to what the rule sees, and decays the parameter.
INLINE update_block prepared(update_block u, nn_gradient_transform t) {
  u.g = u.g * t.scale;
  if (t.limit > 0) {
    vector limit = t.limit;
    u.g = SELECT(u.g > limit, limit, SELECT(u.g < -limit, -limit, u.g));
  }
  if (t.decay != 0) u.w = u.w - u.w * t.decay;
  return u;
}

#define X(rule, slots) \
  static void optimizer_##rule(size_t count, float *w, const float *g, float *a, float *b, float *c, \
                               nn_gradient_transform t, const float *p) { \
    size_t i = 0; \
    update_block u = {0}; \
    for (; i + LANES <= count; i += LANES) { \
      u.w = load(w + i); \
      u.g = load(g + i); \
      if (slots > 0) u.a = load(a + i); \
      if (slots > 1) u.b = load(b + i); \
      if (slots > 2) u.c = load(c + i); \
      u = update_##rule(prepared(u, t), p); \
      store(u.w, w + i); \
      if (slots > 0) store(u.a, a + i); \
      if (slots > 1) store(u.b, b + i); \
      if (slots > 2) store(u.c, c + i); \
    } \
    if (i == count) return; \
    size_t rest = count - i; \
    u.w = load_part(w + i, rest, 1.0f); \
    u.g = load_part(g + i, rest, 1.0f); \
    if (slots > 0) u.a = load_part(a + i, rest, 1.0f); \
    if (slots > 1) u.b = load_part(b + i, rest, 1.0f); \
    if (slots > 2) u.c = load_part(c + i, rest, 1.0f); \
    u = update_##rule(prepared(u, t), p); \
    store_part(u.w, w + i, rest); \
    if (slots > 0) store_part(u.a, a + i, rest); \
    if (slots > 1) store_part(u.b, b + i, rest); \
    if (slots > 2) store_part(u.c, c + i, rest); \
  }
NN_OPTIMIZERS(X)
#undef X

const nn_optimizer_f32_kernel CONCAT(optimizer_f32, ISA)[nn_optimizer_count] = {
#define X(rule, slots) {#rule "_f32__" STRING(ISA), slots, optimizer_##rule},
    NN_OPTIMIZERS(X)
#undef X
};
