#include "CKernels.h"

float *nn_thread_scratch(void) {
  static _Thread_local _Alignas(64) float scratch[nn_thread_scratch_count];
  return scratch;
}
