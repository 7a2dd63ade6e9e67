#include <stddef.h>
#define ISA scalar
#define LANES 4
#define CHAINS 12
// A call of fmaf is no ceiling: without the instruction the products and the sums are counted.
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))

#include "ceilings.h"
