#define ISA scalar
#include "unary_f32.h"
