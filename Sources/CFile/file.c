#define _GNU_SOURCE
#include "CFile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

ssize_t nn_copy_range(int source, int64_t offset, int target, size_t count) {
  off_t from = offset;
  return copy_file_range(source, &from, target, NULL, count, 0);
}

void nn_start_writing(int descriptor, int64_t offset, int64_t count) {
  (void)sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
}

int nn_open_unnamed(const char *folder) {
  // The name will be given through /proc, which must be there then.
  if (access("/proc/self/fd", X_OK) != 0) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

int nn_open_beneath(const char *folder, const char *path) {
#ifdef SYS_openat2
  int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -1;
  struct open_how how = {
      .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  long file = -1;
  // The kernel gives up on a path in which something is renamed at the same time.
  for (int attempt = 0; attempt < 1000; attempt++) {
    file = syscall(SYS_openat2, directory, path, &how, sizeof how);
    if (file >= 0 || errno != EAGAIN) break;
  }
  // Filters of system calls deny what they do not know.
  int error = errno == EPERM ? ENOSYS : errno;
  close(directory);
  if (file < 0) errno = error;
  return (int)file;
#else
  (void)folder, (void)path;
  errno = ENOSYS;
  return -1;
#endif
}

int nn_name_file(int descriptor, const char *path) {
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  return linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}
