import Synchronization

/// Decodes datasets of one file in a worker, which is started when the first is asked for and replaced when it has decoded what
/// its limits allow.
final class HDF5ElementSource: Sendable {
  private struct Worker: Sendable {
    var process: HDF5WorkerProcess
    /// Bytes that it may still decode.
    var budget: Int
  }

  private let region: ByteRegion
  private let isolation: HDF5Isolation
  private let worker = Mutex<Worker?>(nil)

  init(_ region: ByteRegion, _ isolation: HDF5Isolation) {
    self.region = region
    self.isolation = isolation
  }

  /// The elements of a dataset.
  ///
  /// - Throws: `FormatError` with the library's message, or how the worker failed.
  func bytes(of elements: HDF5Elements, byteCount: Int) throws(FormatError) -> AlignedBytes {
    try worker.withLock { (worker) throws(FormatError) in
      // A worker may have ended while nobody asked it anything; that is no fault of the file.
      for _ in 0..<2 {
        let current = try available(worker, for: byteCount)
        worker = nil
        let seconds = isolation.allowance(fileByteCount: region.count, decoding: byteCount)
        guard
          let count = try current.process.ask(.elements, elements.encoded(byteCount: byteCount), seconds: seconds)
        else { continue }
        guard count == byteCount else { throw MessageDecoder.error("\(count) bytes of elements") }
        let bytes = try unsafe AlignedBytes(count: byteCount) { (buffer) throws(FormatError) in
          try unsafe current.process.copy(into: buffer)
        }
        worker = Worker(process: current.process, budget: current.budget - byteCount)
        return bytes
      }
      throw FormatError(.io, "the process that reads HDF5 was ended from outside")
    }
  }

  private func available(_ worker: Worker?, for byteCount: Int) throws(FormatError) -> Worker {
    if let worker, worker.budget >= byteCount { return worker }
    let budget = max(HDF5Isolation.sharedBudget, byteCount)
    return Worker(process: try HDF5WorkerProcess(region, isolation, budget: budget), budget: budget)
  }
}

extension HDF5Index {
  /// Reads the index in a worker.
  init(_ region: ByteRegion, limits: ReadLimits, _ isolation: HDF5Isolation) throws(FormatError) {
    let request = limits.encoded
    for _ in 0..<2 {
      let worker = try HDF5WorkerProcess(region, isolation, budget: 0)
      guard let count = try worker.ask(.index, request, seconds: isolation.allowance(fileByteCount: region.count))
      else { continue }
      var decoder = HDF5IndexDecoder(
        try worker.content(count), source: region, limits: limits, elements: HDF5ElementSource(region, isolation))
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
    let worker = try HDF5WorkerProcess(region, self, budget: 0)
    guard let count = try worker.ask(.escape, [], seconds: seconds) else {
      throw FormatError(.io, "the process that reads HDF5 was ended from outside")
    }
    var decoder = MessageDecoder(try worker.content(count))
    return (try decoder.flag(), try decoder.int())
  }
}
