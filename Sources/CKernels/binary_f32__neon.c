#if defined(__aarch64__)

#define ISA neon
#include "binary_f32.h"

#endif
