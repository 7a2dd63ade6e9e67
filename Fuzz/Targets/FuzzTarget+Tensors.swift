import NNFormat
import TestSupport

extension FuzzTarget {
  static func tensor(_ region: ByteRegion) throws {
    let (name, tensor) = try TensorFile.readPB(region)
    let first = try TensorFile.bytesPB(of: tensor, name: name)
    let second = try again("a tensor that was written") { () throws(FormatError) in
      let (name, tensor) = try TensorFile.readPB(ByteRegion(first))
      return try TensorFile.bytesPB(of: tensor, name: name)
    }
    try Contradiction.unless(first == second, "writing a tensor for the second time gives other bytes")
    _ = try tensor.texts()
  }

  /// Reads every member of an archive.
  static func zip(_ region: ByteRegion) throws {
    let archive = try ZipArchive(region)
    var total = 0
    for (name, member) in archive.members {
      guard let content = try? archive.region(name) else { continue }
      try Contradiction.unless(content.count == member.byteCount, "\(name) has another size than its entry")
      total = try content.bytes().reduce(total) { $0 &+ Int($1) }
    }
  }

  static func arrays(_ bytes: [UInt8], _ region: ByteRegion) throws {
    if bytes.first == 0x80 {
      for tensor in try PickledArrays.dictionary(bytes, name: "input").values { try array(tensor) }
    } else if bytes.starts(with: [0x50, 0x4B]) {
      for tensor in try NpzFile.read(region).values { try array(tensor) }
    } else {
      try array(try NpyFile.read(region))
    }
  }

  /// Writes an array and reads it again.
  private static func array(_ tensor: Tensor) throws {
    guard let first = try? NpyFile.bytes(of: tensor) else { return }
    let second = try again("an array that was written") { () throws(FormatError) in
      try NpyFile.bytes(of: NpyFile.read(ByteRegion(first)))
    }
    try Contradiction.unless(first == second, "writing an array for the second time gives other bytes")
  }

  static func safetensors(_ region: ByteRegion) throws {
    for (name, tensor) in try SafetensorsFile.read(region).tensors {
      let bytes = try tensor.denseBytes
      try Contradiction.unless(bytes.count == tensor.byteCount, "\(name) has another size than its entry")
    }
  }

  static func table(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    let words = try? TextTable(text)
    if let words {
      let input = Value(name: "x", type: .tensor(.string, [.unknown, .known(words.columnCount)]))
      _ = try words.tensor(for: input)
    }
    let table = try CSVTable(text)
    let input = Value(name: "x", type: .tensor(.float64, [.unknown, .known(table.columnCount)]))
    let tensor = try table.tensor(for: input)
    let written = try CSVTable.text(of: [("x", tensor)])
    let second = try again("a table that was written") { () throws(FormatError) in try CSVTable(written) }
    try Contradiction.unless(
      second.values.elementsEqual(table.values) { $0 == $1 || $0.isNaN && $1.isNaN },
      "a table of \(table.values.count) numbers is read as others after writing")
  }
}
