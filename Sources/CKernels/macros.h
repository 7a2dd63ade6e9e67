/// Names and attributes that the kernels' definitions are written with.
#pragma once

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
/// `what__isa`.
#define CONCAT(a, b) JOIN(JOIN(a, __), b)
#define STRING_(a) #a
#define STRING(a) STRING_(a)
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
