/// Names of classes, and true classes of rows.
public enum LabelFile {
  /// The lines of a text file, without the empty ones at the end.
  public static func read(_ path: String) throws(FormatError) -> [String] {
    let text = String(decoding: try ByteRegion(MappedFile(path: path)).bytes(), as: UTF8.self)
    var lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.map(String.init)
    while lines.last?.isEmpty == true { lines.removeLast() }
    guard !lines.isEmpty else { throw FormatError(.malformed, "holds no labels", file: path) }
    return lines
  }

  /// Class numbers from a `.npy` of whole numbers, or a table with one column.
  ///
  /// - Throws: `FormatError` when the file holds something else.
  public static func indices(_ path: String) throws(FormatError) -> [Int] {
    let values: [Double]
    switch try TensorInput.read(path) {
    case .tensor(let tensor): values = try tensor.doubles()
    case .table(let table) where table.columnCount == 1: values = table.values
    default: throw FormatError(.mismatch, "true classes are one whole number a row", file: path)
    }
    return try values.mapTyped { (value) throws(FormatError) in
      guard let index = Int(exactly: value) else {
        throw FormatError(.mismatch, "\(value) is not a class number", file: path)
      }
      return index
    }
  }

  /// Refuses a class that a network does not have.
  ///
  /// - Parameters:
  ///   - classes: the true class of each row.
  ///   - scores: how many numbers the network gives for a row; a single one tells class 1 from class 0.
  /// - Throws: `FormatError` of kind `mismatch` that names the row.
  public static func check(_ classes: [Int], scores: Int) throws(FormatError) {
    let count = max(scores, 2)
    for (row, label) in classes.enumerated() where !(0..<count).contains(label) {
      throw FormatError(
        .mismatch, "the label \(label) is none of the network's classes 0 to \(count - 1)", at: "row \(row + 1)")
    }
  }
}
