import NNFormat

/// Writes the outputs of a run in the form that the name of the target asks for.
enum OutputFile {
  /// Writes `.npy`, `.npz` or `.csv`, `output_0.pb` ... into a folder, or CSV to standard output for `-`.
  ///
  /// - Throws: `FormatError` of kind `unsupported` for another ending, or outputs that the form cannot hold.
  static func write(_ results: [(name: String, tensor: Tensor)], to path: String) throws(FormatError) {
    if path == "-" { return print(try CSVTable.text(of: results)) }
    if Path.endsWithSlash(path) { return try writeFolder(results, path) }
    if path.hasSuffix(".npz") { return try NpzFile.write(results, to: path) }
    if path.hasSuffix(".npy") {
      guard results.count == 1 else {
        throw FormatError(
          .unsupported, "a .npy file holds one array, but there are \(results.count) outputs", file: path,
          advice: "Write .npz instead")
      }
      return try replace(path, with: NpyFile.bytes(of: results[0].tensor))
    }
    if path.hasSuffix(".csv") { return try replace(path, with: Array(try CSVTable.text(of: results).utf8)) }
    throw FormatError(
      .unsupported, "outputs are written as .npy, .npz, .csv, or into a folder named with a / at its end", file: path)
  }

  /// Prints a table as it is, or for eyes when they are what it goes to: names and strings may steer a terminal.
  private static func print(_ table: String) {
    guard Terminal.outputIsTerminal else { return Swift.print(table, terminator: "") }
    // By bytes: a return before the end of a line makes one `Character` of both.
    for line in table.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
      Swift.print(String(Substring(line)).onOneLine)
    }
  }

  /// One `TensorProto` file for each output.
  private static func writeFolder(_ results: [(name: String, tensor: Tensor)], _ path: String) throws(FormatError) {
    try FileSystem.makeFolder(path)
    for (index, result) in results.enumerated() {
      try TensorFile.writePB(result.tensor, name: result.name, to: "\(path)output_\(index).pb")
    }
  }

  private static func replace(_ path: String, with bytes: [UInt8]) throws(FormatError) {
    let writer = try AtomicWriter(replacing: path)
    try writer.write(bytes)
    try writer.commit()
  }
}
