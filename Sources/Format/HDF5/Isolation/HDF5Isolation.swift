import Glibc

/// How libhdf5 is kept away from everything but one file.
///
/// The library reads in a process of its own, a worker: without a network, without any other file, with bounds on memory and
/// time, and behind a filter for system calls where the kernel has them. What it answers is checked before it is used.
///
/// ```swift
/// var limits = ReadLimits()
/// limits.isolation = HDF5Isolation(program: "/usr/bin/nnfmt")
/// let file = try ModelFile.read("model.h5", limits: limits)
/// ```
public struct HDF5Isolation: Sendable, Hashable {
  /// The program that becomes the worker: `nnfmt`, or any whose `main` begins with `runWorkerIfAsked`. By default the
  /// running one.
  public var program: String
  /// Bytes of memory beside the file and the elements that are decoded.
  public var memoryBytes = 256 << 20
  /// Seconds of processor time that reading a small file may take, its index and all its elements together, and thrice that on
  /// the clock. Larger files get more, and so does decoding elements, by their size.
  public var seconds = 3

  /// Reading in a worker that `program` becomes.
  public init(program: String = "/proc/self/exe") { self.program = program }

  /// Serves as a worker and ends, if this process was started as one. To be called before anything else is done.
  public static func runWorkerIfAsked(_ arguments: [String] = CommandLine.arguments) {
    guard arguments.count > 1, arguments[1] == HDF5WorkerSettings.mark else { return }
    guard let settings = HDF5WorkerSettings(arguments: arguments) else { _exit(2) }
    HDF5Worker.run(settings)
  }

  /// Elements that one worker decodes at most before another takes over, unless a dataset alone is larger.
  static let sharedBudget = 64 << 20
  /// Bytes of a file whose groups and datasets are listed in a second at the very least.
  static let slowestIndexRate = 32 << 20
  /// Bytes of elements that are decoded in a second at the very least.
  static let slowestRate = 16 << 20
  /// The same for what goes beyond `ordinaryExpansion` times the file: runs of one number, or nothing that is stored.
  static let slowestFillingRate = 256 << 20
  static let ordinaryExpansion = 4

  /// The seconds of processor time that a file of `fileByteCount` bytes may take in all, once `byteCount` bytes of elements were
  /// asked for.
  func allowance(fileByteCount: Int, decoding byteCount: Int = 0) -> Double {
    let ordinary = min(Double(byteCount), Double(fileByteCount) * Double(Self.ordinaryExpansion))
    return Double(seconds) + Double(fileByteCount) / Double(Self.slowestIndexRate)
      + ordinary / Double(Self.slowestRate) + (Double(byteCount) - ordinary) / Double(Self.slowestFillingRate)
  }
}

/// What a worker is told when it starts.
struct HDF5WorkerSettings {
  /// The first argument of a worker.
  static let mark = "__hdf5-worker"

  /// The bytes of the file that are the HDF5 file.
  var range: Range<Int>
  /// Bytes of address space beside those in use at the start.
  var memoryBytes: Int
  /// Bytes of the largest answer.
  var answerBytes: Int
  /// Seconds of processor time.
  var seconds: Int

  var arguments: [String] {
    ["nnfmt", Self.mark] + [range.lowerBound, range.upperBound, memoryBytes, answerBytes, seconds].map(String.init)
  }

  init(range: Range<Int>, memoryBytes: Int, answerBytes: Int, seconds: Int) {
    self.range = range
    self.memoryBytes = memoryBytes
    self.answerBytes = answerBytes
    self.seconds = seconds
  }

  init?(arguments: [String]) {
    let numbers = arguments.dropFirst(2).compactMap { Int($0) }.filter { $0 >= 0 }
    guard arguments.count == 7, numbers.count == 5, numbers[0] <= numbers[1] else { return nil }
    self.init(
      range: numbers[0]..<numbers[1], memoryBytes: numbers[2], answerBytes: numbers[3], seconds: numbers[4])
  }
}
