import CSandbox
import Glibc

/// The worker's side: gives up its rights, then answers what it is asked about the one file it was given.
enum HDF5Worker {
  /// Serves until the other side goes away.
  static func run(_ settings: HDF5WorkerSettings) -> Never {
    let bounds = nn_worker_limits(
      memory: UInt64(settings.memoryBytes), answer: UInt64(settings.answerBytes), seconds: UInt64(settings.seconds))
    guard nn_worker_enter(bounds) == 0, let region = try? mapped(settings.range) else { _exit(3) }
    // Whatever the library does once it does while that is still allowed.
    _ = HDF5Library.version
    let confinement = nn_worker_confine()
    guard confinement & Int32(NN_WORKER_LIMITED) != 0 else { _exit(3) }
    let isFiltered = confinement & Int32(NN_WORKER_FILTERED) != 0
    while let request = receive(), let content = try? SharedMemory.bytes(of: memory, count: request.count) {
      do throws(FormatError) {
        try answer(.answer, try perform(request, content, region, answerBytes: settings.answerBytes, isFiltered))
      } catch {
        do throws(FormatError) { try answer(.failure, .content(error.encoded)) } catch { _exit(3) }
      }
    }
    _exit(0)
  }

  private static let channel = Int32(NN_WORKER_CHANNEL)
  private static let memory = Int32(NN_WORKER_MEMORY)

  private enum Answer {
    /// Bytes that are still to be put into the shared memory.
    case content([UInt8])
    /// A number of bytes that are there already.
    case inPlace(Int)
  }

  private static func mapped(_ range: Range<Int>) throws(FormatError) -> ByteRegion {
    try ByteRegion(MappedFile(adopting: Int32(NN_WORKER_FILE), path: "the file")).slice(range)
  }

  private static func receive() -> WorkerMessage? {
    var bytes = [UInt8](repeating: 0, count: WorkerMessage.size)
    var filled = 0
    while filled < bytes.count {
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe read(channel, buffer.baseAddress.map { unsafe $0 + filled }, buffer.count - filled)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      filled += count
    }
    return WorkerMessage(bytes)
  }

  private static func answer(_ kind: WorkerMessage.Kind, _ answer: Answer) throws(FormatError) {
    let count: Int
    switch answer {
    case .inPlace(let bytes): count = bytes
    case .content(let content):
      try SharedMemory.replace(memory, with: content)
      count = content.count
    }
    let message = WorkerMessage(kind, count: count).bytes
    guard unsafe write(channel, message, message.count) == message.count else {
      throw FormatError(.io, "the other side of the channel is gone")
    }
  }

  private static func perform(
    _ request: WorkerMessage, _ content: [UInt8], _ region: ByteRegion, answerBytes: Int, _ isFiltered: Bool
  ) throws(FormatError) -> Answer {
    switch request.kind {
    case .index:
      let index = try HDF5Index(region, limits: try ReadLimits(encoded: content)).encoded
      guard index.count <= answerBytes else {
        throw FormatError(.limit, "HDF5: names and attributes of \(index.count) bytes")
      }
      return .content(index)
    case .elements:
      let (elements, byteCount) = try HDF5Elements.decoded(content)
      guard byteCount <= answerBytes else { throw FormatError(.limit, "HDF5: a dataset of \(byteCount) bytes") }
      try unsafe SharedMemory.fill(memory, count: byteCount) { (buffer) throws(FormatError) in
        try unsafe elements.read(from: region, into: buffer)
      }
      return .inPlace(byteCount)
    case .escape:
      var encoder = MessageEncoder()
      encoder.put(isFiltered)
      encoder.put(Int(nn_worker_escapes()))
      return .content(encoder.bytes)
    case .answer, .failure: throw FormatError(.malformed, "an answer is no request")
    }
  }
}
