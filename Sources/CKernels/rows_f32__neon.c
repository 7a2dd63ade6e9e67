#if defined(__aarch64__)

#define ISA neon
#include "rows_f32.h"

#endif
