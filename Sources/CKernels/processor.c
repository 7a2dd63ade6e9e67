#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>

#include "CKernels.h"

bool nn_pin_thread(size_t index) {
#if defined(__linux__)
  cpu_set_t allowed, chosen;
  // Those of the first thread: a new thread starts with what its maker may use, who may be pinned.
  if (sched_getaffinity(getpid(), sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) == 0) return false;
  index %= (size_t)CPU_COUNT(&allowed);
  for (int processor = 0; processor < CPU_SETSIZE; processor++) {
    if (!CPU_ISSET(processor, &allowed) || index-- > 0) continue;
    CPU_ZERO(&chosen);
    CPU_SET(processor, &chosen);
    return sched_setaffinity(0, sizeof chosen, &chosen) == 0;
  }
#else
  (void)index;
#endif
  return false;
}

size_t nn_processor_count(void) {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return (size_t)CPU_COUNT(&set);
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (size_t)online : 1;
}
