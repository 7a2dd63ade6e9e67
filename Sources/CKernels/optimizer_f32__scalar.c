#define ISA scalar
#include "optimizer_f32.h"
