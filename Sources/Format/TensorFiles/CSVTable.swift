/// A table of numbers as text: one row a line, cells between commas, semicolons or tabs, perhaps a line of names first.
public struct CSVTable: Sendable {
  /// The names of the columns, when the first line holds any that is not a number.
  public var names: [String]?
  /// Cells in each row.
  public var columnCount: Int
  /// All cells, row by row.
  public var values: [Double]

  /// Rows of numbers.
  public var rowCount: Int { columnCount == 0 ? 0 : values.count / columnCount }

  /// Parses a table of numbers. Empty lines are skipped; `nan` and `inf` count as numbers.
  ///
  /// - Throws: `FormatError` of kind `malformed` with the line and column of the first cell that is not a number.
  public init(_ text: String) throws(FormatError) {
    names = nil
    columnCount = 0
    values = []
    let lines = text.drop { $0 == "\u{FEFF}" }.split(omittingEmptySubsequences: false) { $0.isNewline }
    let separator = lines.first { !$0.allSatisfy(\.isWhitespace) }.map(Self.separator) ?? ","
    for (index, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
      let cells = line.split(separator: separator, omittingEmptySubsequences: false)
      if columnCount == 0 {
        columnCount = cells.count
        if cells.contains(where: { Self.number($0) == nil }) {
          names = cells.map { Self.trimmed($0).filter { $0 != "\"" } }
          continue
        }
      }
      guard cells.count == columnCount else {
        throw FormatError(
          .malformed, "the row has \(cells.count) cells, the first one \(columnCount)", at: "line \(index + 1)")
      }
      for (column, cell) in cells.enumerated() {
        guard let value = Self.number(cell) else {
          throw FormatError(
            .malformed, "\"\(cell.prefix(20))\" is not a number", at: "line \(index + 1), column \(column + 1)")
        }
        values.append(value)
      }
    }
    guard rowCount > 0 else { throw FormatError(.malformed, "the table has no rows of numbers") }
  }

  /// The table as a tensor for an input: rows first, the cells of each row in the shape behind the batch.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when a row does not fill the shape, or a number does not fit the type.
  public func tensor(for input: Value) throws(FormatError) -> Tensor {
    let elementType = input.elementType ?? .float32
    let tensor = Tensor(values, shape: try Self.shape(of: input, rows: rowCount, columns: columnCount))
    if let range = Self.wholeNumbers(of: elementType) {
      if let stranger = values.first(where: { $0 != $0.rounded() || !range.contains($0) }) {
        throw FormatError(
          .mismatch, "\(stranger) is no number that the input \"\(input.name)\" can take, which is \(elementType.name)")
      }
    }
    return try tensor.converted(to: elementType)
  }

  /// The values of an integer type or of booleans; `nil` for other types.
  private static func wholeNumbers(of elementType: ElementType) -> Range<Double>? {
    if elementType == .bool { return 0..<2 }
    guard elementType.isInteger, let bits = elementType.bitWidth else { return nil }
    let isUnsigned = elementType.name.hasPrefix("u")
    let end = Double(sign: .plus, exponent: isUnsigned ? bits : bits - 1, significand: 1)
    return isUnsigned ? 0..<end : -end..<end
  }

  /// The shape of an input whose rows are lines of so many cells.
  static func shape(of input: Value, rows: Int, columns: Int) throws(FormatError) -> [Int] {
    guard let declared = input.shape else { return [rows, columns] }
    let open = declared.dimensions.dropFirst().filter { $0.value == nil }.count
    let known = checkedProduct(declared.dimensions.dropFirst().compactMap(\.value)) ?? 0
    let isFilled = open == 0 ? known == columns : open == 1 && known > 0 && columns % known == 0
    guard declared.rank > 0, isFilled else {
      throw FormatError(
        .mismatch, "the rows have \(columns) cells, but the input \"\(input.name)\" has the shape \(declared)")
    }
    return [rows] + declared.dimensions.dropFirst().map { $0.value ?? columns / known }
  }

  /// Tensors side by side as text: a line of names, then a line for each row. Numbers have the digits that tell them from
  /// their neighbours in their own type.
  ///
  /// - Throws: `FormatError` of kind `unsupported` when the numbers of rows differ.
  public static func text(of tensors: [(name: String, tensor: Tensor)]) throws(FormatError) -> String {
    let rows = tensors.first?.tensor.shape.first ?? 0
    guard tensors.allSatisfy({ $0.tensor.shape.first == rows }) else {
      throw FormatError(.unsupported, "CSV needs outputs with as many rows each", advice: "Write .npz instead")
    }
    var names: [String] = []
    var columns: [(cells: [String], count: Int)] = []
    for (name, tensor) in tensors {
      let count = tensor.shape.dropFirst().reduce(1, *)
      let name = quoted(name)
      names += count == 1 ? [name] : (0..<count).map { "\(name)_\($0)" }
      columns.append((try cells(of: tensor), count))
    }
    var text = names.joined(separator: ",") + "\n"
    for row in 0..<rows {
      text +=
        columns.map { $0.cells[row * $0.count..<(row + 1) * $0.count].joined(separator: ",") }
        .joined(separator: ",") + "\n"
    }
    return text
  }

  private static func cells(of tensor: Tensor) throws(FormatError) -> [String] {
    let texts = try tensor.texts()
    return tensor.elementType == .string ? texts.map(quoted) : texts
  }

  /// A cell that holds what would end it stands in quotes.
  private static func quoted(_ cell: String) -> String {
    cell.contains { ",;\t\"".contains($0) || $0.isNewline } ? "\"\(cell.replacing("\"", with: "\"\""))\"" : cell
  }

  private static func separator(of line: Substring) -> Character {
    [",", ";", "\t"].first { line.contains($0) } ?? ","
  }

  private static func trimmed(_ cell: Substring) -> Substring {
    var cell = cell
    while cell.first?.isWhitespace == true { cell.removeFirst() }
    while cell.last?.isWhitespace == true { cell.removeLast() }
    return cell
  }

  private static func number(_ cell: Substring) -> Double? { Double(trimmed(cell)) }
}
