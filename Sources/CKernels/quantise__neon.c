#if defined(__aarch64__)
#include <stddef.h>

#define ISA neon
#include "quantise.h"
#endif
