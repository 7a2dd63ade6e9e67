import Foundation
import NNFormat
import TestSupport
import Testing

/// Reading HDF5 in a confined process.
@Suite struct IsolationTests {
  /// Limits under which the built program is the worker.
  static let limits = {
    var limits = ReadLimits()
    limits.isolation = HDF5Isolation(program: Tool.path)
    return limits
  }()

  private static func region(_ path: String) throws -> ByteRegion { ByteRegion(try MappedFile(path: path)) }

  /// Fixtures with HDF5 in them: files, and members of archives, stored or compressed.
  private static func images() throws -> [(name: String, region: ByteRegion)] {
    var images: [(String, ByteRegion)] = []
    for folder in ["models", "hdf5", "trained"] {
      for name in try FileManager.default.contentsOfDirectory(atPath: Fixtures.path(folder)).sorted() {
        let path = Fixtures.path("\(folder)/\(name)")
        guard let region = try? Self.region(path) else { continue }
        if region.prefix(2) == Array("PK".utf8) {
          if let archive = try? ZipArchive(region), let member = try? archive.region("model.weights.h5") {
            images.append((name, member))
          }
        } else if [".h5", ".hdf5", ".keras"].contains(where: { name.hasSuffix($0) }) {
          images.append((name, region))
        }
      }
    }
    return images
  }

  @Test func everyFixtureReadsAsInThisProcess() throws {
    let images = try Self.images()
    #expect(images.count > 100)
    var decoded = 0
    for (name, region) in images {
      let own = Result { try HDF5Index(region) }
      let isolated = Result { try HDF5Index(region, limits: Self.limits) }
      switch (own, isolated) {
      case (.success(let own), .success(let isolated)):
        #expect(own.encoded == isolated.encoded, "\(name)")
        for (left, right) in zip(own.root.allDatasets, isolated.root.allDatasets) {
          #expect(left.path == right.path)
          let (left, right) = (Result { try left.tensor().denseBytes }, Result { try right.tensor().denseBytes })
          #expect(try Self.agree(left, right), "\(name)")
          decoded += 1
        }
      default: #expect(try Self.agree(own.map { _ in 0 }, isolated.map { _ in 0 }), "\(name)")
      }
    }
    #expect(decoded > 1000)
  }

  /// Whether two attempts gave the same, be it an error.
  private static func agree<Value: Equatable>(
    _ left: Result<Value, any Error>, _ right: Result<Value, any Error>
  ) throws -> Bool {
    switch (left, right) {
    case (.success(let left), .success(let right)): left == right
    case (.failure(let left), .failure(let right)): "\(left)" == "\(right)"
    default: false
    }
  }

  @Test func regionsInMemoryAreHandedOver() throws {
    let bytes = try TemporaryFolder.bytes(of: Fixtures.path("hdf5/kinds.h5"))
    let region = ByteRegion(AlignedBytes(copying: bytes), name: "memory")
    let (own, isolated) = (try HDF5Index(region), try HDF5Index(region, limits: Self.limits))
    #expect(own.encoded == isolated.encoded)
    for (left, right) in zip(own.root.allDatasets, isolated.root.allDatasets) {
      #expect(try Self.agree(Result { try left.tensor().denseBytes }, Result { try right.tensor().denseBytes }))
    }
  }

  /// A file whose elements take too long has one budget: the second dataset is not tried once the first has used it up.
  @Test func datasetsShareTheirTime() throws {
    var limits = Self.limits
    limits.isolation?.seconds = 1
    let root = try HDF5Index(Self.region(Fixtures.path("attacks/tiny_chunks.h5")), limits: limits).root
    let times = try ["a", "b", "c"].map { name in
      let tensor = try root.requiredDataset(name).tensor(limits: limits)
      let start = ContinuousClock.now
      let error = #expect(throws: FormatError.self) { _ = try tensor.denseBytes }
      #expect(error?.kind == .limit && error?.message.contains("hung") == true, "\(error as Any)")
      return ContinuousClock.now - start
    }
    #expect(times[0] > .milliseconds(500))
    #expect(times[1] + times[2] < times[0] / 2)
  }

  @Test func workersCannotGetOut() throws {
    let region = try Self.region(Fixtures.path("hdf5/kinds.h5"))
    let (isFiltered, escapes) = try HDF5Isolation(program: Tool.path).escapes(reading: region)
    // The kernel says of every process whether its calls are filtered, where it can filter them.
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    #expect(isFiltered == status.contains("Seccomp:"))
    #expect(escapes == 0 || !isFiltered)
  }

  @Test func programsThatAreNoWorkerAreErrors() throws {
    let region = try Self.region(Fixtures.path("hdf5/kinds.h5"))
    var limits = ReadLimits()
    limits.isolation = HDF5Isolation(program: "/nonexistent/nnfmt")
    let absent = #expect(throws: FormatError.self) { try HDF5Index(region, limits: limits) }
    #expect(absent?.kind == .io && absent?.advice?.contains("--trusted") == true)
    limits.isolation = HDF5Isolation(program: "/bin/true")
    let stranger = #expect(throws: FormatError.self) { try HDF5Index(region, limits: limits) }
    #expect(stranger?.message.contains("status 0") == true)
  }

  /// A program in the place of the worker that does something once it was asked.
  private func answering(_ script: String, in folder: TemporaryFolder) throws -> ReadLimits {
    let path = try folder.write("#!/bin/sh\nhead -c 16 <&4 >/dev/null\n\(script)\n", to: "worker")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    var limits = ReadLimits()
    limits.isolation = HDF5Isolation(program: path)
    limits.isolation?.seconds = 1
    return limits
  }

  @Test(arguments: [
    ("kill -SEGV $$", FormatError.Kind.malformed, "SIGSEGV"), ("kill -ABRT $$", .malformed, "SIGABRT"),
    ("kill -XCPU $$", .limit, "processor time"), ("exec sleep 30", .limit, "did not finish"),
    ("kill -KILL $$", .io, "from outside"), ("exit 3", .io, "status 3"),
  ]) func workersThatFail(_ script: String, kind: FormatError.Kind, words: String) throws {
    let folder = try TemporaryFolder()
    let limits = try answering(script, in: folder)
    let error = #expect(throws: FormatError.self) {
      try HDF5Index(try Self.region(Fixtures.path("hdf5/kinds.h5")), limits: limits)
    }
    #expect(error?.kind == kind && error?.message.contains(words) == true, "\(error as Any)")
  }

  /// A worker that answers with bytes of the test's choosing.
  private func lie(_ answer: [UInt8], length: Int? = nil, kind: Int = 4) throws -> FormatError? {
    let folder = try TemporaryFolder()
    let content = try folder.write(answer, to: "answer")
    let message = try folder.write(Self.number(kind) + Self.number(length ?? answer.count), to: "message")
    let limits = try answering("cat \(content) >&5; cat \(message) >&4; exec sleep 5", in: folder)
    return #expect(throws: FormatError.self) {
      try HDF5Index(try Self.region(Fixtures.path("hdf5/kinds.h5")), limits: limits)
    }
  }

  private static func number(_ value: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  @Test func answersThatCannotBeAreRefused() throws {
    let answers: [(bytes: [UInt8], length: Int?, kind: Int)] = [
      ([], nil, 4), ([], 1 << 40, 4), ([], -1, 4), ([], 100, 4), ([1, 2, 3], nil, 4), ([1, 2, 3], nil, 1),
      ([1, 2, 3], nil, 5), ([], nil, 99), (Self.number(Int.max) + Self.number(0), nil, 4),
      (Self.number(0) + Self.number(1) + Self.number(3) + Array("a/b".utf8) + Self.number(0), nil, 4),
      (Self.number(0) + Self.number(0) + [0], nil, 4),
    ]
    for answer in answers {
      let error = try lie(answer.bytes, length: answer.length, kind: answer.kind)
      #expect(error?.message.contains("cannot be") == true, "\(answer): \(error as Any)")
    }
  }

  /// An index with one dataset of 2 x 3 float32 at an offset.
  private static func index(shape: [Int] = [2, 3], layout: Int = 0, place: Int, name: String = "x") -> [UInt8] {
    var bytes = number(0) + number(1) + number(name.utf8.count) + Array(name.utf8) + number(1)
    bytes += number(1) + number(1) + [0]
    bytes += number(shape.count) + shape.flatMap(number)
    return bytes + number(layout) + number(place) + number(0)
  }

  @Test func placesOutsideOfTheFileAreNotRead() throws {
    let region = try Self.region(Fixtures.path("hdf5/kinds.h5"))
    for place in [region.count, region.count - 20, Int.max, Int.max - 8] {
      let root = try HDF5Index(decoding: Self.index(place: place), of: region).root
      let error = #expect(throws: FormatError.self) { try root.requiredDataset("x").tensor() }
      #expect(error?.kind == .truncated, "\(place)")
    }
    let inside = try HDF5Index(decoding: Self.index(place: region.count - 24), of: region).root
    #expect(try inside.requiredDataset("x").tensor().denseBytes == region.bytes(region.count - 24..<region.count))
    for lie in [
      Self.index(place: -8), Self.index(shape: [-2, 3], place: 0), Self.index(shape: [1 << 40, 1 << 40], place: 0),
      Self.index(shape: [Int](repeating: 1, count: 65), place: 0), Self.index(layout: 7, place: 0),
      Self.index(place: 0, name: ""), Self.index(place: 0) + [0],
    ] {
      #expect(throws: FormatError.self) { try HDF5Index(decoding: lie, of: region) }
    }
    // Chunks that claim to be larger than the file would let any size pass as compressed.
    let chunked = try HDF5Index(decoding: Self.index(shape: [1 << 34], layout: 3, place: 1 << 40), of: region).root
    let error = #expect(throws: FormatError.self) { try chunked.requiredDataset("x").tensor() }
    #expect(error?.kind == .limit)
  }

  @Test func everyByteOfAnAnswerMayBeWrong() throws {
    let region = try Self.region(Fixtures.path("hdf5/kinds.h5"))
    let answer = try HDF5Index(region).encoded
    var numbers = SeededNumbers(8)
    for _ in 0..<3000 {
      var lie = answer
      for _ in 0...numbers.below(3) { lie[numbers.below(lie.count)] = UInt8(numbers.below(256)) }
      if numbers.below(4) == 0 { lie.removeLast(numbers.below(lie.count)) }
      guard let index = try? HDF5Index(decoding: lie, of: region) else { continue }
      for dataset in index.root.allDatasets where (dataset.shape.max() ?? 0) < 1 << 20 {
        guard case .contiguous = dataset.layout, let tensor = try? dataset.tensor() else { continue }
        if case .mapped = tensor.storage { _ = try tensor.denseBytes }
      }
    }
  }
}
