#pragma once
#include <stdint.h>
#include <sys/types.h>

/// The descriptors that a worker starts with, beside standard ones that lead nowhere.
enum { NN_WORKER_FILE = 3, NN_WORKER_CHANNEL = 4, NN_WORKER_MEMORY = 5 };

/// Starts a program in a process of its own that has three descriptors and no environment but LD_LIBRARY_PATH.
///
/// Standard input, output and error lead to /dev/null, signals have their defaults, and the terminal's do not reach it.
/// Returns 0, or the error number.
int nn_worker_start(const char *program, char *const arguments[], int file, int channel, int memory, pid_t *process);

/// A pair of connected sockets that close on exec. Returns 0, or -1 with errno set.
int nn_channel(int ends[2]);

/// An empty file in memory that closes on exec. Returns the descriptor, or -1 with errno set.
int nn_shared_memory(const char *name);

/// Sends all bytes; a partner that is gone is an error and no signal. Returns 0, or -1.
int nn_send(int channel, const void *bytes, size_t count);

/// The name of a signal without SIG, or NULL.
const char *nn_signal_name(int signal);

/// What a worker may use from here on.
struct nn_worker_limits {
  /// Bytes of address space beyond what the process has mapped already.
  uint64_t memory;
  /// Bytes of the shared memory.
  uint64_t answer;
  /// Seconds of processor time.
  uint64_t seconds;
};

/// What `nn_worker_enter` and `nn_worker_confine` could put in place.
enum { NN_WORKER_LIMITED = 1, NN_WORKER_FILTERED = 2 };

/// Closes every descriptor but a worker's own, ties the process's life to its parent's, and sets limits on memory, processor time,
/// written bytes, processes and core files. Returns 0, or -1 with errno set.
///
/// Address space stays unlimited under a sanitizer, which reserves terabytes of it.
int nn_worker_enter(struct nn_worker_limits limits);

/// Gives up new descriptors, new privileges and every system call but those that computing and answering need.
///
/// Returns flags; without NN_WORKER_FILTERED the kernel has no filters for system calls.
int nn_worker_confine(void);

/// Tries to leave: to open a file, make a socket, start a process, map executable memory. Returns how many attempts succeeded.
int nn_worker_escapes(void);
