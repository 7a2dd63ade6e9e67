#if defined(__aarch64__)

#define ISA neon
#include "unary_f32.h"

#endif
