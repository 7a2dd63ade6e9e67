/// A table of strings as text: one row a line, cells between commas, which may stand in double quotes.
public struct TextTable: Sendable {
  /// Cells in each row.
  public var columnCount: Int
  /// All cells, row by row.
  public var cells: [String]

  /// Rows of cells.
  public var rowCount: Int { columnCount == 0 ? 0 : cells.count / columnCount }

  /// Parses a table as RFC 4180 has it: quotes may hold commas, line breaks and doubled quotes. Empty lines are skipped.
  ///
  /// - Throws: `FormatError` of kind `malformed` when rows differ in length, a quote is not closed, or there is no row.
  public init(_ text: String) throws(FormatError) {
    columnCount = 0
    cells = []
    var row: [String] = []
    var cell = ""
    var (isQuoted, wasQuoted, line) = (false, false, 1)
    var characters = Substring(text.drop { $0 == "\u{FEFF}" })
    func isEnd(_ character: Character) -> Bool { character.isNewline }
    while let character = characters.popFirst() {
      if isQuoted {
        if character != "\"" {
          cell.append(character)
        } else if characters.first == "\"" {
          cell.append(characters.removeFirst())
        } else {
          isQuoted = false
        }
      } else if character == "\"", cell.isEmpty, !wasQuoted {
        (isQuoted, wasQuoted) = (true, true)
      } else if character == "," {
        row.append(cell)
        (cell, wasQuoted) = ("", false)
      } else if isEnd(character) {
        try end(&row, cell, wasQuoted, line)
        (cell, wasQuoted, line) = ("", false, line + 1)
      } else {
        cell.append(character)
      }
    }
    guard !isQuoted else { throw FormatError(.malformed, "a quote is not closed", at: "line \(line)") }
    try end(&row, cell, wasQuoted, line)
    guard rowCount > 0 else { throw FormatError(.malformed, "the table has no rows") }
  }

  private mutating func end(
    _ row: inout [String], _ cell: String, _ wasQuoted: Bool, _ line: Int
  ) throws(FormatError) {
    defer { row = [] }
    if row.isEmpty, cell.isEmpty, !wasQuoted { return }
    row.append(cell)
    if columnCount == 0 { columnCount = row.count }
    guard row.count == columnCount else {
      throw FormatError(.malformed, "the row has \(row.count) cells, the first one \(columnCount)", at: "line \(line)")
    }
    cells += row
  }

  /// The table as a tensor of strings for an input: rows first, the cells of each row in the shape behind the batch.
  ///
  /// The first line counts as names when its first cell is the input's name, or that with `_0`.
  /// - Throws: `FormatError` of kind `mismatch` when a row does not fill the shape, or the input takes no strings.
  public func tensor(for input: Value) throws(FormatError) -> Tensor {
    guard input.elementType == .string else {
      throw FormatError(
        .mismatch, "the input \"\(input.name)\" is \(input.elementType?.name ?? "no tensor"), the table holds strings")
    }
    let hasNames = cells.first == input.name || cells.first == "\(input.name)_0"
    let content = hasNames ? Array(cells.dropFirst(columnCount)) : cells
    let rows = content.count / columnCount
    let shape = try CSVTable.shape(of: input, rows: rows, columns: columnCount)
    return try Tensor(elementType: .string, shape: shape, storage: .strings(content.map { Array($0.utf8) }))
  }
}
