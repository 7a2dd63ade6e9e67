import Foundation
import NNFormat
import TestSupport

extension FuzzTarget {
  /// Content that the target's readers accept, made of the fixtures: what fuzzing starts from.
  ///
  /// - Parameter limit: the most bytes of one seed; smaller ones are changed more often in the same time.
  package func seeds(limit: Int) throws -> [(name: String, bytes: [UInt8])] {
    switch self {
    case .onnx, .graph: try Self.files(in: ["onnx", "models"], ending: [".onnx"], limit)
    case .tensor: try Self.files(in: ["onnx"], ending: [".pb"], limit) + Self.writtenTensors()
    case .keras: try Self.configurations(limit)
    case .index: try Self.indexes(limit)
    case .zip: try Self.files(in: ["expected", "models"], ending: [".npz", ".keras"], limit)
    case .npy: try Self.files(in: ["expected", "digits"], ending: [".npz", ".npy"], limit) + Self.pickles(limit)
    case .safetensors: try Self.writtenSafetensors()
    case .csv: Self.tables
    }
  }

  private static func files(
    in folders: [String], ending: [String], _ limit: Int
  ) throws -> [(name: String, bytes: [UInt8])] {
    try folders.flatMap { folder in
      try FileManager.default.contentsOfDirectory(atPath: Fixtures.path(folder)).sorted()
        .filter { name in ending.contains { name.hasSuffix($0) } }
        .map { ($0, try TemporaryFolder.bytes(of: Fixtures.path("\(folder)/\($0)"))) }
        .filter { $0.1.count <= limit }
    }
  }

  /// The configurations of archives, which are JSON, and those that lie alone.
  private static func configurations(_ limit: Int) throws -> [(name: String, bytes: [UInt8])] {
    let archives = try files(in: ["models"], ending: [".keras"], 1 << 20).compactMap { name, bytes in
      try? (name + ".json", ZipArchive(ByteRegion(bytes)).region("config.json").bytes())
    }
    return try (archives + files(in: ["models"], ending: [".json"], limit)).filter { $0.1.count <= limit }
  }

  private static func indexes(_ limit: Int) throws -> [(name: String, bytes: [UInt8])] {
    try files(in: ["hdf5", "models"], ending: [".h5"], 1 << 16).compactMap { name, bytes in
      (try? HDF5Index(ByteRegion(bytes)).encoded).map { (name, $0) }
    }.filter { $0.1.count <= limit }
  }

  /// The pickled members of weights in npz archives.
  private static func pickles(_ limit: Int) throws -> [(name: String, bytes: [UInt8])] {
    try files(in: ["models"], ending: [".keras"], 1 << 20).flatMap { name, bytes in
      let archive = try? ZipArchive(ByteRegion(bytes)).region("model.weights.npz")
      guard let archive, let arrays = try? ZipArchive(archive) else { return [] as [(name: String, bytes: [UInt8])] }
      return arrays.members.keys.compactMap { member in
        // A pickle begins behind the header of its array.
        guard let array = try? arrays.region(member).bytes(), let start = array.firstIndex(of: 0x0A) else { return nil }
        return ("\(name)-\(member)", Array(array[(start + 1)...]))
      }
    }.filter { $0.bytes.count <= limit }
  }

  private static let samples: [Tensor] = [
    Tensor([1, -2, 0.5] as [Float]), Tensor([1, 2, 3, 4] as [Double], shape: [2, 2]), Tensor([7] as [Int64]),
  ]

  private static func writtenTensors() throws -> [(name: String, bytes: [UInt8])] {
    try samples.enumerated().map { ("\($0).pb", try TensorFile.bytesPB(of: $1, name: "x")) }
  }

  private static func writtenSafetensors() throws -> [(name: String, bytes: [UInt8])] {
    let folder = try TemporaryFolder()
    return try (0...samples.count).map { count in
      var content = SafetensorsFile.Content(tensors: [:], metadata: count > 1 ? ["format": "pt"] : [:])
      for (index, tensor) in samples.prefix(count).enumerated() { content.tensors["layer.\(index)"] = tensor }
      try SafetensorsFile.write(content, to: folder.file("x.safetensors"))
      return ("\(count).safetensors", try TemporaryFolder.bytes(of: folder.file("x.safetensors")))
    }
  }

  private static let tables: [(name: String, bytes: [UInt8])] = [
    "1,2,3\n4,5,6\n", "a;b\n1;2.5e-3\n\n-inf;nan\n", "\u{FEFF}x\ty\r\n 1 \t2\r\n", "\"a\"\"b\",c\n\"d,\ne\",f\n",
  ].enumerated().map { ("\($0).csv", Array($1.utf8)) }
}
