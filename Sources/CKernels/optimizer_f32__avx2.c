#if defined(__x86_64__)
#include "declarations.h"
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define ISA avx2
#include "optimizer_f32.h"

#pragma clang attribute pop
#endif
