#define ISA scalar
#include "rows_f32.h"
