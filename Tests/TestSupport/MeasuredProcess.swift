@unsafe @preconcurrency import Glibc

/// A program that is run to its end, with what it took.
package struct MeasuredProcess {
  /// The exit status; `nil` when a signal ended the program.
  package var status: Int32?
  /// The signal that ended the program, the one of this library's time limit included.
  package var signal: Int32?
  /// Processor time of all threads, in seconds.
  package var processorSeconds: Double
  /// The largest resident set, in bytes.
  package var peakBytes: Int
  /// What was written to standard error, up to 64 KiB.
  package var error: String
}

/// Runs one program many times, as fast as processes can be made.
///
/// Standard output goes nowhere, standard error into one file that is used again. The process that holds a launcher must
/// have no other children.
@safe package final class ProcessLauncher {
  private let program: String
  private let errors: Int32
  private let nowhere: Int32

  /// A launcher of the program at a path.
  package init(program: String) {
    self.program = program
    var template = Array("/tmp/nnfmt-errors.XXXXXX".utf8CString)
    errors = unsafe mkstemp(&template)
    unsafe unlink(template)
    nowhere = unsafe open("/dev/null", O_RDWR)
    // Waiting with a time limit takes the signal of a child's end from the queue.
    var children = Self.signals([SIGCHLD])
    unsafe sigprocmask(SIG_BLOCK, &children, nil)
  }

  deinit {
    close(errors)
    close(nowhere)
  }

  /// Runs the program.
  ///
  /// - Parameter seconds: how long it may take by the clock before it is killed.
  package func run(_ arguments: [String], seconds: Int) -> MeasuredProcess {
    ftruncate(errors, 0)
    lseek(errors, 0, SEEK_SET)
    guard let child = spawn([program] + arguments) else {
      return MeasuredProcess(status: nil, signal: 0, processorSeconds: 0, peakBytes: 0, error: "cannot be started")
    }
    var usage = rusage()
    var status: Int32 = 0
    var children = Self.signals([SIGCHLD])
    var rest = timespec(tv_sec: seconds, tv_nsec: 0)
    while unsafe wait4(child, &status, WNOHANG, &usage) == 0 {
      if unsafe sigtimedwait(&children, nil, &rest) < 0, errno == EAGAIN {
        kill(child, SIGKILL)
        unsafe wait4(child, &status, 0, &usage)
        break
      }
    }
    let signal = status & 0x7F
    return MeasuredProcess(
      status: signal == 0 ? status >> 8 & 0xFF : nil, signal: signal == 0 ? nil : signal,
      processorSeconds: Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime),
      peakBytes: usage.ru_maxrss * 1024, error: errorText())
  }

  private func spawn(_ arguments: [String]) -> pid_t? {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, nowhere, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, nowhere, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2)
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var none = Self.signals([])
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var pointers = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    var child: pid_t = 0
    return unsafe posix_spawn(&child, program, &actions, &attributes, &pointers, environ) == 0 ? child : nil
  }

  private func errorText() -> String {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe pread(errors, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

  private static func signals(_ numbers: [Int32]) -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in numbers { unsafe sigaddset(&set, number) }
    return set
  }
}
