#define ISA scalar
#include "quantise.h"
