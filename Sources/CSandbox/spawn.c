#define _GNU_SOURCE
#include "CSandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/// Above every number that a worker's descriptors get, so that none is overwritten while they are put in place.
static const int firstFree = 16;

static int prepare(posix_spawn_file_actions_t *actions, const int *copies) {
  int status = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (!status) status = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  if (!status) status = posix_spawn_file_actions_adddup2(actions, STDOUT_FILENO, STDERR_FILENO);
  for (int i = 0; i < 3 && !status; i++) status = posix_spawn_file_actions_adddup2(actions, copies[i], NN_WORKER_FILE + i);
  if (!status) status = posix_spawn_file_actions_addclosefrom_np(actions, NN_WORKER_MEMORY + 1);
  return status;
}

static int describe(posix_spawnattr_t *attributes) {
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  int status = posix_spawnattr_setsigdefault(attributes, &all);
  if (!status) status = posix_spawnattr_setsigmask(attributes, &none);
  if (!status) status = posix_spawnattr_setpgroup(attributes, 0);
  if (!status)
    status = posix_spawnattr_setflags(
        attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  return status;
}

int nn_worker_start(const char *program, char *const arguments[], int file, int channel, int memory, pid_t *process) {
  // The libraries of Swift may lie where only this variable leads; everything else stays outside.
  char *libraries = NULL;
  const char *value = getenv("LD_LIBRARY_PATH");
  if (value && asprintf(&libraries, "LD_LIBRARY_PATH=%s", value) < 0) return ENOMEM;
  char *const environment[] = {libraries, NULL};

  const int given[] = {file, channel, memory};
  int copies[] = {-1, -1, -1};
  int status = 0;
  for (int i = 0; i < 3 && !status; i++) {
    copies[i] = fcntl(given[i], F_DUPFD_CLOEXEC, firstFree);
    if (copies[i] < 0) status = errno;
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (!status) status = posix_spawn_file_actions_init(&actions);
  if (!status) {
    status = posix_spawnattr_init(&attributes);
    if (!status) {
      status = prepare(&actions, copies);
      if (!status) status = describe(&attributes);
      if (!status) status = posix_spawn(process, program, &actions, &attributes, arguments, environment);
      posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  for (int i = 0; i < 3; i++)
    if (copies[i] >= 0) close(copies[i]);
  free(libraries);
  return status;
}

int nn_channel(int ends[2]) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends); }

int nn_shared_memory(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int nn_send(int channel, const void *bytes, size_t count) {
  while (count > 0) {
    ssize_t sent = send(channel, bytes, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return -1;
    bytes = (const char *)bytes + sent;
    count -= (size_t)sent;
  }
  return 0;
}

const char *nn_signal_name(int signal) { return sigabbrev_np(signal); }
