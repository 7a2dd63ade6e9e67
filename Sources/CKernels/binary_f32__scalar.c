#define ISA scalar
#include "binary_f32.h"
