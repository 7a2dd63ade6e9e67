#if defined(__aarch64__)

#define ISA neon
#include "optimizer_f32.h"

#endif
