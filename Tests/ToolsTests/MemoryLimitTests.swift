import Foundation
import NNFormat
import TestSupport
import Testing

/// Models whose weights can be mapped, but not packed, in the memory that there is.
@Suite struct MemoryLimitTests {
  /// What the program may have, in KiB: one and a half times the weights, of which packing takes as much again.
  private static let kibibytes = 3 << 19

  private static func varint(_ number: Int) -> [UInt8] {
    number < 128 ? [UInt8(number)] : [UInt8(number & 127) | 128] + varint(number >> 7)
  }

  private static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(content.count) + content
  }

  /// The bytes of a model with a matrix "w" whose elements are in "w.bin".
  private static func bytes(_ nodes: [Node], _ type: ElementType, _ rows: Int, _ columns: Int) throws -> [UInt8] {
    let outputType: ElementType = type == .float32 ? .float32 : .int32
    let graph = Graph(
      name: "g", inputs: [Value(name: "x", elementType: .float32, shape: [1, .known(rows)])],
      outputs: [Value(name: "y", elementType: outputType, shape: [1, .known(columns)])], nodes: nodes)
    let model = Model(graph: graph, operatorSets: [OperatorSetImport(version: 21)], irVersion: 10)
    let entry = field(13, field(1, Array("location".utf8)) + field(2, Array("w.bin".utf8)))
    let tensor =
      [0x08] + varint(rows) + [0x08] + varint(columns) + [0x10, UInt8(type.rawValue)] + field(8, [0x77]) + entry
      + [0x70, 0x01]
    // The fields of one message may come in pieces.
    return try ONNXFile.bytes(of: model) + field(7, field(5, tensor))
  }

  @Test(arguments: [ElementType.float32, .int8]) func weightsThatCannotBePackedAreAnError(_ type: ElementType) throws {
    let folder = try TemporaryFolder()
    let (rows, columns) = (type == .float32 ? 1 << 12 : 1 << 14, 1 << 16)
    let nodes =
      type == .float32
      ? [Node("MatMul", inputs: ["x", "w"], outputs: ["y"])]
      : [
        Node("Cast", inputs: ["x"], outputs: ["u"], attributes: [Attribute("to", .int(2))]),
        Node("MatMulInteger", inputs: ["u", "w"], outputs: ["y"]),
      ]
    let path = try folder.write(try Self.bytes(nodes, type, rows, columns), to: "large.onnx")
    // A hole of 1 GiB.
    let data = try folder.write("", to: "w.bin")
    #expect(unsafe truncate(data, 1 << 30) == 0)
    let input = folder.file("x.npy")
    try Data(NpyFile.bytes(of: Tensor([Float](repeating: 1, count: rows), shape: [1, rows]))).write(
      to: URL(fileURLWithPath: input))
    let result = try Tool.run(
      ["predict", path, "--input", input, "--threads", "1"],
      launcher: ["/bin/bash", "-c", "ulimit -v \(Self.kibibytes); exec \"$0\" \"$@\""])
    #expect(result.status == 2 && result.errorLines.count == 1, "\(result.status) \(result.error)")
    #expect(result.error.contains("does not fit into memory"), "\(result.error)")
  }
}
