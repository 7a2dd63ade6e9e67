import Glibc
import OrderedCollections

/// What an `--input` gives: arrays, with names where the file has them, or a table that takes its shape from the network.
public enum TensorInput: Sendable {
  case tensor(Tensor)
  case named(OrderedDictionary<String, Tensor>)
  case table(CSVTable)
  /// A table for an input of strings.
  case text(TextTable)

  /// Reads a file by its content: `.npy`, `.npz`, a serialised tensor (`.pb`), or a table of numbers; `-` reads a table from standard input.
  ///
  /// - Parameter asText: whether a table holds strings, which also numbers may be.
  /// - Throws: `FormatError` that names the file.
  public static func read(_ path: String, asText: Bool = false) throws(FormatError) -> TensorInput {
    func table(_ text: String) throws(FormatError) -> TensorInput {
      asText ? .text(try TextTable(text)) : .table(try CSVTable(text))
    }
    do throws(FormatError) {
      if path == "-" { return try table(standardInput()) }
      let region = ByteRegion(try MappedFile(path: path))
      let start = region.prefix(8)
      if start.starts(with: NpyFile.signature) { return .tensor(try NpyFile.read(region)) }
      if ZipArchive.signatures.contains(where: { start.starts(with: $0) }) { return .named(try NpzFile.read(region)) }
      let bytes = try region.bytes()
      // A serialised tensor starts with its extents or its type, whose bytes no text starts with.
      if let first = bytes.first, first == 0x08 || first == 0x10 || bytes.contains(0) {
        do throws(FormatError) {
          let (name, tensor) = try TensorFile.readPB(region, path: path)
          return .named([name: tensor])
        } catch {
          guard first != 0x08, first != 0x10 else { throw error }
          throw FormatError(.unrecognized, "is neither .npy, .npz, a serialised tensor nor a table of numbers")
        }
      }
      return try table(String(decoding: bytes, as: UTF8.self))
    } catch {
      throw error.inFile(path == "-" ? "standard input" : path)
    }
  }

  /// Assigns inputs to a network's.
  ///
  /// An archive's arrays go by name when every input's name is among them, or they are all names of inputs, else by
  /// order. What is given without a name
  /// fills the inputs that are left, in order.
  /// - Throws: `FormatError` of kind `mismatch` when something is left over or does not fit.
  public static func assign(
    _ given: [(name: String?, input: TensorInput)], to inputs: [Value]
  ) throws(FormatError) -> [String: Tensor] {
    var assigned: [String: Tensor] = [:]
    for (name, input) in given {
      if let name {
        guard let value = inputs.first(where: { $0.name == name }) else {
          let names = inputs.map { "\"\($0.name)\"" }.joined(separator: ", ")
          throw FormatError(.mismatch, "the network has no input \"\(name)\"; its inputs are \(names)")
        }
        assigned[name] = try input.single(for: value)
        continue
      }
      if case .named(let tensors) = input {
        let names = Set(inputs.map(\.name))
        if names.isSubset(of: tensors.keys) || names.isSuperset(of: tensors.keys) {
          for name in names { assigned[name] = tensors[name] ?? assigned[name] }
          continue
        }
      }
      let free = inputs.filter { assigned[$0.name] == nil }
      let tensors: [TensorInput]
      if case .named(let members) = input { tensors = members.values.map { .tensor($0) } } else { tensors = [input] }
      guard tensors.count <= free.count else {
        throw FormatError(
          .mismatch, "\(tensors.count) arrays are given, but the network has \(free.count) inputs left to fill")
      }
      for (value, tensor) in zip(free, tensors) { assigned[value.name] = try tensor.single(for: value) }
    }
    return assigned
  }

  /// Takes the true classes out of an archive that holds them beside the inputs, as `y` or `labels`: whole numbers, or rows
  /// whose largest number is at the class.
  ///
  /// - Returns: `nil` when there are none.
  /// - Throws: `FormatError` of kind `mismatch` when they are something else.
  public mutating func takeClasses(besides inputs: [Value]) throws(FormatError) -> [Int]? {
    guard case .named(var tensors) = self,
      let name = ["y", "labels"].first(where: { name in
        tensors[name] != nil && !inputs.contains { $0.name == name } && tensors.count > inputs.count
      }), let tensor = tensors.removeValue(forKey: name)
    else { return nil }
    self = .named(tensors)
    let rows = tensor.shape.first ?? 0
    let values = try tensor.doubles()
    if values.count == rows {
      return try values.mapTyped { (value) throws(FormatError) in
        guard let index = Int(exactly: value) else {
          throw FormatError(.mismatch, "\(value) in the array \"\(name)\" is not a class number")
        }
        return index
      }
    }
    guard tensor.shape.count == 2, rows > 0, let columns = tensor.shape.last else {
      throw FormatError(.mismatch, "the array \"\(name)\" of shape \(tensor.shape) holds no class for each row")
    }
    return (0..<rows).map { row in
      let part = values[row * columns..<(row + 1) * columns]
      return part.indices.max { part[$0] < part[$1] }.map { $0 - part.startIndex } ?? 0
    }
  }

  private func single(for value: Value) throws(FormatError) -> Tensor {
    switch self {
    case .tensor(let tensor): return tensor
    case .table(let table): return try table.tensor(for: value)
    case .text(let table): return try table.tensor(for: value)
    case .named(let tensors):
      guard let tensor = tensors[value.name] ?? (tensors.count == 1 ? tensors.values.first : nil) else {
        throw FormatError(.mismatch, "the archive has no array \"\(value.name)\"")
      }
      return tensor
    }
  }

  private static func standardInput() throws(FormatError) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe Glibc.read(STDIN_FILENO, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system("cannot read", "standard input") }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }
}
