/// Decodes datasets of one file in a worker, which is started when the first is asked for and replaced when it has decoded what
/// its limits allow. All workers of a file share its processor time.
final class HDF5ElementSource: Sendable {
  private struct Worker: Sendable {
    var process: HDF5WorkerProcess
    /// Bytes that it may still decode.
    var budget: Int
  }

  private struct State: Sendable {
    var worker: Worker?
    /// Processor time of the workers before that one, in seconds.
    var pastSeconds: Double
    /// Bytes that were asked for.
    var byteCount = 0
    /// Why nothing more is decoded.
    var refusal: FormatError?
  }

  private let region: ByteRegion
  private let isolation: HDF5Isolation
  private let state: Locked<State>

  /// - Parameter usedSeconds: the processor time that the file has taken so far.
  init(_ region: ByteRegion, _ isolation: HDF5Isolation, usedSeconds: Double) {
    self.region = region
    self.isolation = isolation
    state = Locked(State(pastSeconds: usedSeconds))
  }

  /// The elements of a dataset.
  ///
  /// - Throws: `FormatError` with the library's message, or how the worker failed.
  func bytes(of elements: HDF5Elements, byteCount: Int) throws(FormatError) -> AlignedBytes {
    try state.withLock { (state) throws(FormatError) in
      if let refusal = state.refusal { throw refusal }
      state.byteCount += byteCount
      // A worker may have ended while nobody asked it anything; that is no fault of the file.
      for _ in 0..<2 {
        let current = try available(&state, for: byteCount)
        let process = current.process
        state.worker = nil
        defer {
          if process.isUsable {
            state.worker = Worker(process: process, budget: current.budget - byteCount)
          } else {
            state.pastSeconds += process.processorSeconds
          }
        }
        do throws(FormatError) {
          guard
            let count = try process.ask(
              .elements, elements.encoded(byteCount: byteCount),
              seconds: secondsLeft(state) - process.processorSeconds)
          else { continue }
          guard count == byteCount else { throw MessageDecoder.error("\(count) bytes of elements") }
          return try unsafe AlignedBytes(count: byteCount) { (buffer) throws(FormatError) in
            try unsafe process.copy(into: buffer)
          }
        } catch {
          if !process.isUsable, error.kind == .limit { state.refusal = error }
          throw error
        }
      }
      throw FormatError(.io, "the process that reads HDF5 was ended from outside")
    }
  }

  private func secondsLeft(_ state: State) -> Double {
    isolation.allowance(fileByteCount: region.count, decoding: state.byteCount) - state.pastSeconds
  }

  private func available(_ state: inout State, for byteCount: Int) throws(FormatError) -> Worker {
    let used = state.worker?.process.processorSeconds ?? 0
    guard secondsLeft(state) > used else {
      state.refusal = HDF5WorkerProcess.timeIsUp
      throw HDF5WorkerProcess.timeIsUp
    }
    if let worker = state.worker, worker.budget >= byteCount { return worker }
    state.pastSeconds += used
    state.worker = nil
    let budget = max(HDF5Isolation.sharedBudget, byteCount)
    let more = isolation.allowance(fileByteCount: region.count, decoding: state.byteCount + budget - byteCount)
    let process = try HDF5WorkerProcess(region, isolation, budget: budget, seconds: more - state.pastSeconds)
    return Worker(process: process, budget: budget)
  }
}

extension HDF5Index {
  /// Reads the index in a worker.
  init(_ region: ByteRegion, limits: ReadLimits, _ isolation: HDF5Isolation) throws(FormatError) {
    let request = limits.encoded
    for _ in 0..<2 {
      let seconds = isolation.allowance(fileByteCount: region.count)
      let worker = try HDF5WorkerProcess(region, isolation, seconds: seconds)
      guard let count = try worker.ask(.index, request, seconds: seconds) else { continue }
      let elements = HDF5ElementSource(region, isolation, usedSeconds: worker.processorSeconds)
      var decoder = HDF5IndexDecoder(
        try worker.content(count), source: region, limits: limits, elements: elements)
      self.init(root: try decoder.root())
      return
    }
    throw FormatError(.io, "the process that reads HDF5 was ended from outside")
  }
}

extension HDF5Isolation {
  /// Lets a worker try to open files, sockets and processes.
  ///
  /// - Returns: Whether the kernel filters its system calls, and how many attempts succeeded.
  package func escapes(reading region: ByteRegion) throws(FormatError) -> (isFiltered: Bool, count: Int) {
    let worker = try HDF5WorkerProcess(region, self, seconds: Double(seconds))
    guard let count = try worker.ask(.escape, [], seconds: Double(seconds)) else {
      throw FormatError(.io, "the process that reads HDF5 was ended from outside")
    }
    var decoder = MessageDecoder(try worker.content(count))
    return (try decoder.flag(), try decoder.int())
  }
}
