/// A run of bytes that lives in a mapped file or in memory: a whole file, or a member of an archive.
public struct ByteRegion: Sendable {
  private enum Backing: Sendable {
    case file(MappedFile)
    case memory(AlignedBytes)
  }

  private let backing: Backing
  private let range: Range<Int>
  /// How errors name the region: the file, or the file and the member.
  public let name: String

  /// A whole mapped file.
  public init(_ file: MappedFile) {
    backing = .file(file)
    range = 0..<file.count
    name = file.path
  }

  /// A block of memory.
  public init(_ bytes: AlignedBytes, name: String) {
    backing = .memory(bytes)
    range = 0..<bytes.count
    self.name = name
  }

  private init(_ backing: Backing, _ range: Range<Int>, name: String) {
    self.backing = backing
    self.range = range
    self.name = name
  }

  /// The file that the region is a part of, and the part; `nil` in memory.
  var filePart: (file: MappedFile, range: Range<Int>)? {
    if case .file(let file) = backing { (file, range) } else { nil }
  }

  /// The number of bytes.
  public var count: Int { range.count }

  /// The part of the region that `subrange` selects.
  ///
  /// - Throws: `FormatError` of kind `truncated` when it passes the end.
  public func slice(_ subrange: Range<Int>, name: String? = nil) throws(FormatError) -> ByteRegion {
    ByteRegion(backing, try absolute(subrange), name: name ?? self.name)
  }

  /// Calls `body` with the bytes of the region, or of a part of it.
  public func withBytes<Result>(
    _ subrange: Range<Int>? = nil, _ body: (UnsafeRawBufferPointer) throws(FormatError) -> Result
  ) throws(FormatError) -> Result {
    let range = try absolute(subrange ?? 0..<count)
    switch backing {
    case .file(let file): return try unsafe file.withBytes(range, body)
    case .memory(let bytes):
      return try unsafe bytes.withBytes { (buffer) throws(FormatError) in
        try unsafe body(UnsafeRawBufferPointer(rebasing: buffer[range]))
      }
    }
  }

  /// A copy of the bytes of the region, or of a part of it.
  public func bytes(_ subrange: Range<Int>? = nil) throws(FormatError) -> [UInt8] {
    try unsafe withBytes(subrange) { buffer in unsafe [UInt8](buffer) }
  }

  /// Drops the pages of a part that is mapped from this process; they come back when they are touched again.
  func giveBack(_ subrange: Range<Int>) {
    guard case .file(let file) = backing, let range = try? absolute(subrange) else { return }
    file.giveBack(range)
  }

  /// A copy of the first `length` bytes, or of all when there are fewer.
  public func prefix(_ length: Int) -> [UInt8] { (try? bytes(0..<min(length, count))) ?? [] }

  /// Storage for a tensor whose bytes are a part of the region: mapped in place where the region is a file.
  public func tensorStorage(_ subrange: Range<Int>) throws(FormatError) -> TensorStorage {
    let range = try absolute(subrange)
    switch backing {
    case .file(let file): return .mapped(file, range)
    case .memory(let bytes) where range == 0..<bytes.count: return .owned(bytes)
    case .memory:
      return .deferred(byteCount: range.count) { () throws(FormatError) in
        AlignedBytes(copying: try self.bytes(subrange))
      }
    }
  }

  private func absolute(_ subrange: Range<Int>) throws(FormatError) -> Range<Int> {
    guard subrange.lowerBound >= 0, subrange.upperBound <= count else {
      throw FormatError(
        .truncated,
        "ends at byte \(count), but bytes \(subrange.lowerBound) to \(subrange.upperBound) are needed", file: name)
    }
    return range.lowerBound + subrange.lowerBound..<range.lowerBound + subrange.upperBound
  }
}

extension Tensor {
  /// The dense bytes as a region: a part of the mapped file, or memory.
  ///
  /// - Throws: `FormatError` when deferred bytes cannot be read, or the tensor holds strings.
  func region(named name: String) throws(FormatError) -> ByteRegion {
    switch storage {
    case .mapped(let file, let range): try ByteRegion(file).slice(range, name: name)
    case .owned(let bytes): ByteRegion(bytes, name: name)
    case .deferred(_, let load): ByteRegion(try load(), name: name)
    case .strings: throw FormatError(.mismatch, "a string tensor has no dense bytes")
    }
  }
}
