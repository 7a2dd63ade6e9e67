#define _GNU_SOURCE
#include "CSandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RESERVES_ADDRESSES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RESERVES_ADDRESSES 1
#endif
#endif

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef RESERVES_ADDRESSES
/// Bytes of address space in use; 0 when the kernel does not say.
static uint64_t mappedBytes(void) {
  char text[64] = {0};
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  return count > 0 ? strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
#endif

static int limit(int resource, uint64_t soft, uint64_t hard) {
  struct rlimit old, new = {soft, hard};
  if (getrlimit((__rlimit_resource_t)resource, &old) != 0) return -1;
  if (new.rlim_max > old.rlim_max) new.rlim_max = old.rlim_max;
  if (new.rlim_cur > new.rlim_max) new.rlim_cur = new.rlim_max;
  return setrlimit((__rlimit_resource_t)resource, &new);
}

int nn_worker_enter(struct nn_worker_limits limits) {
  if (close_range(NN_WORKER_MEMORY + 1, ~0U, 0) != 0 && errno != ENOSYS) return -1;
  // The parent may have gone before the signal was asked for; its end of the channel tells that.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return -1;
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return -1;
  // The signal at the soft limit says what happened; the hard limit is for who handles it.
  if (limit(RLIMIT_CPU, limits.seconds, limits.seconds + 1) != 0) return -1;
  if (limit(RLIMIT_FSIZE, limits.answer, limits.answer) != 0) return -1;
  if (limit(RLIMIT_NPROC, 0, 0) != 0) return -1;
  if (limit(RLIMIT_CORE, 0, 0) != 0) return -1;
#ifndef RESERVES_ADDRESSES
  uint64_t mapped = mappedBytes();
  if (mapped > 0 && limit(RLIMIT_AS, mapped + limits.memory, mapped + limits.memory) != 0) return -1;
#endif
  return 0;
}

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define DENY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
/// Allows a call.
#define CALL(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), ALLOW
/// Allows a call unless its third argument, the protection of memory, asks for execution.
#define CALL_WITHOUT_EXECUTION(name)                                                                    \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD(args[2]),                                \
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), DENY, ALLOW

/// Allows a call when its first argument, a process, is this one.
#define CALL_ON_ITSELF(name)                                                                           \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD(args[0]),                                \
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, 1), ALLOW, DENY

int nn_worker_confine(void) {
  int result = 0;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && limit(RLIMIT_NOFILE, 0, 0) == 0) result |= NN_WORKER_LIMITED;
#ifdef ARCHITECTURE
  struct sock_filter filter[] = {
      LOAD(arch),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      LOAD(nr),
      // Requests, answers and their memory.
      CALL(read), CALL(write), CALL(pread64), CALL(pwrite64), CALL(ftruncate), CALL(lseek),
      // Memory.
      CALL_WITHOUT_EXECUTION(mmap), CALL_WITHOUT_EXECUTION(mprotect), CALL(munmap), CALL(mremap), CALL(madvise), CALL(brk),
      // Time, randomness, locks, and the end.
      CALL(clock_gettime), CALL(gettimeofday), CALL(getrandom), CALL(futex), CALL(sched_yield), CALL(getpid), CALL(gettid),
      CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(sigaltstack), CALL(exit), CALL(exit_group), CALL(restart_syscall),
      CALL_ON_ITSELF(tgkill),
#ifdef SYS_time
      CALL(time),
#endif
      DENY,
  };
  struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) result |= NN_WORKER_FILTERED;
#endif
  return result;
}

int nn_worker_escapes(void) {
  int count = 0;
  if (open("/dev/null", O_RDONLY) >= 0) count++;
  if (open("/tmp", O_TMPFILE | O_WRONLY, 0600) >= 0) count++;
  if (socket(AF_INET, SOCK_STREAM, 0) >= 0) count++;
  if (dup(NN_WORKER_CHANNEL) >= 0) count++;
  pid_t child = fork();
  if (child == 0) _exit(0);
  if (child > 0) count++;
  if (kill(getppid(), 0) == 0) count++;
  if (syscall(SYS_tgkill, getppid(), getppid(), 0) == 0) count++;
  char *const arguments[] = {"true", NULL};
  // On success this process is another program, which never answers.
  execve("/bin/true", arguments, arguments + 1);
  if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) count++;
  if (unlink("/nonexistent") != 0 && errno != EPERM) count++;
  return count;
}
