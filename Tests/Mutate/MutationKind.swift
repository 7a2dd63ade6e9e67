import Foundation
import NNFormat
import TestSupport

/// Files that are changed alike, by what they are.
enum MutationKind: String, CaseIterable {
  case h5
  case keras
  case onnx
  case json
  case safetensors
  case npz
  case npy
  case pb
  case csv

  /// How often a case is of this kind, beside the others: about as many as there are fixtures of it.
  var weight: Int {
    switch self {
    case .h5: 32
    case .keras: 32
    case .onnx: 20
    case .json: 4
    case .safetensors: 4
    case .npz: 4
    case .npy, .pb, .csv: 1
    }
  }

  /// The verbs that take such a file. Files of tensors are inputs of `predict`.
  var verbs: [MutationVerb] {
    switch self {
    case .h5, .keras, .onnx, .json, .safetensors: [.inspect, .check, .convert]
    case .npz: [.inspect, .check, .convert, .predict]
    case .npy, .pb, .csv: [.inspect, .predict]
    }
  }

  /// Whether the file is a zip archive, whose members are changed behind their checksums, too.
  var isArchive: Bool { self == .keras || self == .npz }

  /// The fixtures of the kind, and what is made of fixtures where real files of the kind are not stored.
  ///
  /// - Parameter limit: larger files are left out.
  func files(limit: Int) throws -> [[UInt8]] {
    switch self {
    case .safetensors: return try Self.safetensors()
    case .csv: return try Self.tables()
    default: break
    }
    let folders = ["models", "hdf5", "onnx", "digits", "trained", "training", "expected"]
    let made = self == .pb ? try Self.tensors() : []
    return made
      + (try folders.flatMap { folder in
        try FileManager.default.contentsOfDirectory(atPath: Fixtures.path(folder)).sorted()
          .filter { $0.hasSuffix(".\(rawValue)") }
          .map { try TemporaryFolder.bytes(of: Fixtures.path("\(folder)/\($0)")) }
          .filter { $0.count <= limit }
      })
  }

  private static func safetensors() throws -> [[UInt8]] {
    let folder = try TemporaryFolder()
    let path = folder.file("x.safetensors")
    let models = ["digits.keras", "merges.h5", "quantised_int8.keras", "normalisation.keras"]
    return try models.map {
      _ = try Conversion().convert(try ModelFile.read(Fixtures.model($0)), to: path)
      return try TemporaryFolder.bytes(of: path)
    }
  }

  private static func tensors() throws -> [[UInt8]] {
    let archive = try ByteRegion(MappedFile(path: Fixtures.path("digits/test.npz")))
    return try NpzFile.read(archive).map { name, tensor in
      try TensorFile.bytesPB(of: try tensor.rows(0..<min(4, tensor.shape.first ?? 0)), name: name)
    }
  }

  private static func tables() throws -> [[UInt8]] {
    let images = try NpyFile.read(ByteRegion(try MappedFile(path: Fixtures.path("digits/images.npy"))))
    let values = try images.doubles().prefix(640)
    return try [1, 10].map { rows in
      let tensor = Tensor(Array(values.prefix(rows * 64)), shape: [rows, 64])
      return Array(try CSVTable.text(of: [("x", tensor)]).utf8)
    }
  }
}

/// What is done with a changed file.
enum MutationVerb: String, CaseIterable {
  case inspect
  case check
  case convert
  case predict
}
