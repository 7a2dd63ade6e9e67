import CSandbox
import Glibc
import Synchronization

/// A worker as its user sees it: a process that answers questions about one file, and ends with this object.
final class HDF5WorkerProcess: Sendable {
  /// How waiting for a worker ended.
  private enum End {
    case killed(signal: Int32)
    case exited(status: Int32)
    case unknown
  }

  private let process: pid_t
  /// Whether the process has been waited for, after which its number may be another's.
  private let hasEnded = Atomic(false)
  /// Microseconds of processor time that it had used in the end.
  private let finalTime = Atomic(0)
  /// Whether it waits for a question: it did not crash or hang over one.
  private let answers = Atomic(true)
  private let channel: Int32
  private let memory: Int32
  private let answerBytes: Int

  /// Starts a worker.
  ///
  /// - Parameters:
  ///   - budget: bytes of elements that it is to decode.
  ///   - seconds: the processor time that it has.
  /// - Throws: `FormatError` of kind `io` when the system starts no process.
  init(
    _ region: ByteRegion, _ isolation: HDF5Isolation, budget: Int = 0, seconds: Double
  ) throws(FormatError) {
    let memory = try SharedMemory.make()
    var ends: [Int32] = [-1, -1]
    guard unsafe nn_channel(&ends) == 0 else {
      close(memory)
      throw .system("cannot talk to the process that reads HDF5", region.name)
    }
    defer { close(ends[1]) }
    do throws(FormatError) {
      process = try Self.start(region, isolation, budget: budget, seconds: seconds, channel: ends[1], memory: memory)
    } catch {
      close(memory)
      close(ends[0])
      throw error
    }
    (self.memory, channel) = (memory, ends[0])
    answerBytes = Self.answerBytes(isolation, budget: budget)
  }

  deinit {
    close(channel)
    close(memory)
    if !hasEnded.load(ordering: .relaxed) { end() }
  }

  /// Seconds as the system counts them: whole ones, and one at least.
  private static func whole(_ seconds: Double) -> Int { max(Int(clamping: Int64(min(seconds, 1e9).rounded(.up))), 1) }

  /// Whether it can be asked again.
  var isUsable: Bool { answers.load(ordering: .relaxed) }

  /// Processor time that it has used, in seconds.
  var processorSeconds: Double {
    var clock = clockid_t()
    var time = timespec()
    guard !hasEnded.load(ordering: .relaxed), unsafe clock_getcpuclockid(process, &clock) == 0,
      unsafe clock_gettime(clock, &time) == 0
    else { return Double(finalTime.load(ordering: .relaxed)) / 1e6 }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static func answerBytes(_ isolation: HDF5Isolation, budget: Int) -> Int {
    budget > 0 ? budget : isolation.memoryBytes / 2
  }

  private static func start(
    _ region: ByteRegion, _ isolation: HDF5Isolation, budget: Int, seconds: Double, channel: Int32, memory: Int32
  ) throws(FormatError) -> pid_t {
    try region.withDescriptor { (file, size, range) throws(FormatError) in
      // Elements take their own size in the shared memory, and chunks at most that again.
      let settings = HDF5WorkerSettings(
        range: range, memoryBytes: isolation.memoryBytes + size + 2 * budget,
        answerBytes: answerBytes(isolation, budget: budget),
        seconds: Self.whole(seconds))
      let arguments = unsafe settings.arguments.map { unsafe strdup($0) } + [nil]
      defer { unsafe arguments.forEach { unsafe free($0) } }
      var process: pid_t = 0
      let status = unsafe nn_worker_start(isolation.program, arguments, file, channel, memory, &process)
      guard status == 0 else {
        throw FormatError(
          .io, "the process that reads HDF5 cannot be started: \(unsafe String(cString: strerror(status)))",
          advice: "Where the file is trusted, --trusted reads it without one")
      }
      return process
    }
  }

  /// Asks, and waits for the answer, which lies in the shared memory then.
  ///
  /// - Parameter seconds: the processor time that it has; it is waited for three times as long.
  /// - Returns: The answer's size; `nil` when somebody else ended the worker.
  /// - Throws: `FormatError` that the worker reports, or that tells how it failed.
  func ask(_ kind: WorkerMessage.Kind, _ content: [UInt8], seconds: Double) throws(FormatError) -> Int? {
    answers.store(false, ordering: .relaxed)
    try SharedMemory.replace(memory, with: content)
    let message = WorkerMessage(kind, count: content.count).bytes
    guard unsafe nn_send(channel, message, message.count) == 0 else { return try failure() }
    var bytes: [UInt8] = []
    var patience = Patience(processorSeconds: Self.whole(seconds))
    while bytes.count < WorkerMessage.size {
      guard patience.waits(for: channel) else {
        throw FormatError(
          .limit, "libhdf5 hung: it did not finish reading the file in \(patience.seconds) s", advice: Self.advice)
      }
      var piece = [UInt8](repeating: 0, count: WorkerMessage.size - bytes.count)
      let count = unsafe recv(channel, &piece, piece.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return try failure() }
      bytes += piece.prefix(count)
    }
    guard let answer = WorkerMessage(bytes), answer.count <= answerBytes else {
      throw MessageDecoder.error("a message of no kind or size")
    }
    switch answer.kind {
    case .answer:
      answers.store(true, ordering: .relaxed)
      return answer.count
    case .failure:
      let error = try FormatError.decoded(try SharedMemory.bytes(of: memory, count: answer.count))
      answers.store(true, ordering: .relaxed)
      throw error
    default: throw MessageDecoder.error("a request")
    }
  }

  /// A copy of the answer.
  func content(_ count: Int) throws(FormatError) -> [UInt8] { try SharedMemory.bytes(of: memory, count: count) }

  /// Copies the answer.
  func copy(into buffer: UnsafeMutableRawBufferPointer) throws(FormatError) {
    try unsafe SharedMemory.read(memory, into: buffer)
  }

  /// What is wrong with a file that takes too long.
  static let timeIsUp = FormatError(
    .limit, "libhdf5 hung: it used up its processor time on the file", advice: advice)

  private static let advice =
    "The file is damaged or made to do harm; fetch it again from where you trust"

  /// Ends the process.
  private func end() {
    kill(process, SIGKILL)
    _ = waitForEnd(options: 0)
  }

  /// Why the worker went; returns when it was ended from outside.
  private func failure() throws(FormatError) -> Int? {
    switch endAfterClosing() {
    case .killed(SIGKILL): return nil
    case .killed(SIGXCPU): throw Self.timeIsUp
    case .killed(let signal):
      let abbreviation = unsafe nn_signal_name(signal)
      let name = unsafe abbreviation.map { unsafe "SIG" + String(cString: $0) } ?? "signal \(signal)"
      throw FormatError(.malformed, "libhdf5 crashed while reading the file (\(name))", advice: Self.advice)
    case .exited(let status):
      throw FormatError(.io, "the process that reads HDF5 ended with status \(status)")
    case .unknown: throw FormatError(.io, "the process that reads HDF5 is gone")
    }
  }

  /// How a worker ends whose end of the channel is closed. That happens before it can be waited for, but not long before; one
  /// that goes on is ended.
  private func endAfterClosing() -> End {
    for _ in 0..<1000 {
      if let end = waitForEnd(options: WNOHANG) { return end }
      usleep(1000)
    }
    end()
    return .unknown
  }

  /// - Parameter options: those of `waitpid`.
  /// - Returns: `nil` when it goes on.
  private func waitForEnd(options: Int32) -> End? {
    var status: Int32 = 0
    var usage = rusage()
    while true {
      let result = unsafe wait4(process, &status, options, &usage)
      if result < 0, errno == EINTR { continue }
      if result == 0 { return nil }
      let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
      finalTime.store(seconds * 1_000_000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec, ordering: .relaxed)
      hasEnded.store(true, ordering: .relaxed)
      guard result == process else { return .unknown }
      let signal = status & 0x7f
      return signal == 0 ? .exited(status: status >> 8 & 0xff) : .killed(signal: signal)
    }
  }
}

/// Waiting that counts only time in which this process could run: one that was stopped meanwhile, its worker with it, has not
/// waited.
private struct Patience {
  private static let slice: Int32 = 50
  let seconds: Int
  private var left: Int

  /// - Parameter processorSeconds: what the worker may use; a busy machine takes longer to give it that.
  init(processorSeconds: Int) {
    seconds = 3 * processorSeconds
    left = seconds * (1000 / Int(Self.slice))
  }

  /// Whether something came in before the time was over.
  mutating func waits(for descriptor: Int32) -> Bool {
    while left > 0 {
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if unsafe poll(&request, 1, Self.slice) > 0 { return true }
      left -= 1
    }
    return false
  }
}
