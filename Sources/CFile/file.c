#define _GNU_SOURCE
#include "CFile.h"

#include <fcntl.h>
#include <unistd.h>

ssize_t nn_copy_range(int source, int64_t offset, int target, size_t count) {
  off_t from = offset;
  return copy_file_range(source, &from, target, NULL, count, 0);
}

void nn_start_writing(int descriptor, int64_t offset, int64_t count) {
  (void)sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
}
