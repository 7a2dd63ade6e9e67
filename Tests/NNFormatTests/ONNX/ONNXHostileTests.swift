import Foundation
import NNFormat
import Testing

/// Files that lie, reach out or end early: one clear error each.
@Suite struct ONNXHostileTests {
  private func message(_ field: UInt8, _ content: [UInt8]) -> [UInt8] {
    let (low, high) = (UInt8(content.count & 127), UInt8(content.count >> 7))
    return [field << 3 | 2] + (high == 0 ? [low] : [low | 128, high]) + content
  }

  /// A model with one initializer named "w".
  private func model(initializer: [UInt8]) -> [UInt8] {
    [0x08, 0x08] + message(7, message(5, initializer + message(8, [0x77])))
  }

  private func error(_ bytes: [UInt8]) -> FormatError? {
    ONNXTesting.error { () throws(FormatError) in try ONNXTesting.decode(bytes) }
  }

  private static let float: [UInt8] = [0x10, 0x01]
  private static let negative: [UInt8] = [0x08] + [UInt8](repeating: 0xFF, count: 9) + [0x01]
  private static let huge: [UInt8] = [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]

  @Test(
    arguments: [
      (float + negative, FormatError.Kind.malformed),
      (float + huge + huge, .limit),
      (float + huge, .limit),
      ([0x08, 0x02] + float + [0x4A, 0x04, 0, 0, 0, 0], .mismatch),
      ([0x08, 0x02] + float, .mismatch),
      ([0x08, 0x02] + float + [0x22, 0x04, 0, 0, 0, 0], .mismatch),
      ([0x08, 0x01] + float + [0x3A, 0x01, 0x05], .malformed),
      ([0x08, 0x01] + float + [0x22, 0x04, 0, 0, 0, 0, 0x4A, 0x04, 0, 0, 0, 0], .malformed),
      ([0x08, 0x01, 0x10, 0x63], .unsupported),
      ([0x08, 0x01, 0x10, 0x02, 0x2A, 0x02, 0x80, 0x02], .malformed),
      ([UInt8](repeating: 0, count: 70).flatMap { [0x08, $0 + 1] } + float, .limit),
    ] as [([UInt8], FormatError.Kind)])
  func tensorsThatLie(initializer: [UInt8], kind: FormatError.Kind) {
    let error = error(model(initializer: initializer))
    #expect(error?.kind == kind || (kind == .limit && error?.kind == .mismatch))
    #expect(error?.place?.contains("tensor \"w\"") == true)
  }

  @Test func everyTruncationIsOneError() throws {
    let folder = try ScratchFolder()
    let path = folder.file("cut.onnx")
    let bytes = try ONNXTesting.bytes(of: ONNXTesting.fixtures + "/every_field.onnx")
    for length in 0..<bytes.count {
      try Data(bytes[..<length]).write(to: URL(filePath: path))
      let error = ONNXTesting.error { () throws(FormatError) in try ModelFile.read(path) }
      if let error {
        #expect(error.file == path)
        // A cut between two outermost fields in front of the graph leaves nothing that tells a model.
        if length > 32 { #expect(error.kind == .truncated, "\(length): \(error)") }
      } else {
        // Cut between two outermost fields behind the graph.
        #expect(length > bytes.count / 2)
      }
    }
  }

  @Test func everyChangedByteIsAnErrorOrAModel() throws {
    let bytes = try ONNXTesting.bytes(of: ONNXTesting.fixtures + "/every_field.onnx")
    var random = RandomModel(seed: 3)
    for _ in 0..<4000 {
      var damaged = bytes
      for _ in 0...random.next() % 4 {
        damaged[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      guard let model = try? ONNXTesting.decode(damaged) else { continue }
      _ = try ONNXFile.bytes(of: model)
    }
  }

  @Test func nestingIsBounded() {
    var graph: [UInt8] = []
    var type: [UInt8] = []
    for _ in 0..<100 {
      if graph.count < 16_000 { graph = message(1, message(5, message(6, graph))) }
      type = message(4, message(1, type))
    }
    #expect(error([0x08, 0x08] + message(7, graph))?.kind == .limit)
    #expect(error([0x08, 0x08] + message(7, message(11, message(2, type))))?.kind == .limit)
  }

  @Test(
    arguments: [
      ([0x08, 0x08, 0x3B], FormatError.Kind.malformed),
      ([0x08, 0x08, 0x00], .malformed),
      ([0x08, 0x08, 0x3A, 0x02, 0x12, 0x05, 0x42, 0x00], .malformed),
      ([0x08] + [UInt8](repeating: 0xFF, count: 11), .malformed),
      ([0x08, 0x08, 0x3A, 0x02, 0x10, 0x01], .malformed),
      ([0x08, 0x08], .malformed),
    ] as [([UInt8], FormatError.Kind)])
  func brokenWireFormat(bytes: [UInt8], kind: FormatError.Kind) { #expect(error(bytes)?.kind == kind) }

  @Test(arguments: [
    ("../secret.bin", FormatError.Kind.refused), ("/etc/passwd", .refused), ("a/../../secret.bin", .refused),
    ("link.bin", .refused), ("folder/secret.bin", .refused), ("", .refused), ("absent.bin", .missing),
    ("short.bin", .truncated), ("nested", .refused), ("pipe", .refused),
  ])
  func externalDataStaysInTheFolder(location: String, kind: FormatError.Kind) throws {
    let folder = try ScratchFolder()
    let manager = FileManager.default
    try manager.createDirectory(atPath: folder.file("model/nested"), withIntermediateDirectories: true)
    try Data(count: 64).write(to: URL(filePath: folder.file("secret.bin")))
    try Data(count: 4).write(to: URL(filePath: folder.file("model/short.bin")))
    try manager.createSymbolicLink(
      atPath: folder.file("model/link.bin"), withDestinationPath: folder.file("secret.bin"))
    try manager.createSymbolicLink(atPath: folder.file("model/folder"), withDestinationPath: folder.path)
    #expect(unsafe mkfifo(folder.file("model/pipe"), 0o600) == 0)
    let entry = message(13, message(1, Array("location".utf8)) + message(2, Array(location.utf8)))
    let path = folder.file("model/model.onnx")
    try Data(model(initializer: [0x08, 0x04] + Self.float + entry + [0x70, 0x01])).write(to: URL(filePath: path))
    let error = ONNXTesting.error { () throws(FormatError) in try ModelFile.read(path) }
    #expect(error?.kind == kind)
    #expect(error?.place == "tensor \"w\"")
  }

  @Test func nothingIsLeftBehindWhenWritingFails() throws {
    let folder = try ScratchFolder()
    try Data([1, 2, 3]).write(to: URL(filePath: folder.file("old.onnx")))
    let broken = try Tensor(
      elementType: .float32, shape: [1000],
      storage: .deferred(byteCount: 4000) { () throws(FormatError) in throw FormatError(.io, "gone") })
    var graph = Graph()
    graph.initializers = [Initializer(name: "w", tensor: broken)]
    let model = Model(graph: graph, operatorSets: [OperatorSetImport(version: 17)], irVersion: 8)
    for placement in [ONNXFile.DataPlacement.inside, .beside] {
      let error = ONNXTesting.error { () throws(FormatError) in
        try ONNXFile.write(model, to: folder.file("old.onnx"), data: placement)
      }
      #expect(error?.message == "gone")
    }
    #expect(folder.names == ["old.onnx"])
    #expect(try ONNXTesting.bytes(of: folder.file("old.onnx")) == [1, 2, 3])
  }

  @Test func largeModelsNeedAnotherFile() throws {
    let large = try Tensor(
      elementType: .uint8, shape: [1 << 31],
      storage: .deferred(byteCount: 1 << 31) { () throws(FormatError) in throw FormatError(.io, "loaded") })
    var graph = Graph()
    graph.initializers = [Initializer(name: "w", tensor: large)]
    let model = Model(graph: graph, operatorSets: [], irVersion: 8)
    let folder = try ScratchFolder()
    func failure(_ placement: ONNXFile.DataPlacement) -> FormatError? {
      ONNXTesting.error { () throws(FormatError) in
        try ONNXFile.write(model, to: folder.file("m.onnx"), data: placement)
      }
    }
    #expect(failure(.inside)?.kind == .limit)
    #expect(failure(.automatic)?.message == "loaded")
    #expect(folder.names.isEmpty)
  }
}
