import NNFormat

/// Rows of text in aligned columns.
struct Table {
  enum Alignment {
    case left
    case right
  }

  private let headers: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []
  /// Rows whose last cell has a colour.
  private var colors: [Int: Terminal.Color] = [:]

  /// A table with one header and one alignment a column.
  init(_ columns: (String, Alignment)...) {
    headers = columns.map(\.0)
    alignments = columns.map(\.1)
  }

  mutating func add(_ cells: String...) { add(cells) }

  /// Adds a row, its last cell in a colour if there is one. Cells may hold names from files.
  mutating func add(_ cells: [String], color: Terminal.Color? = nil) {
    colors[rows.count] = color
    rows.append(cells.map(\.onOneLine))
  }

  var isEmpty: Bool { rows.isEmpty }

  /// The lines of the table. Columns without any content are left out; on a terminal too wide rows are cut.
  func lines() -> [String] {
    let columns = headers.indices.filter { column in rows.contains { !$0[column].isEmpty } }
    let widths = columns.map { column in ([headers] + rows).map { $0[column].count }.max() ?? 0 }
    return ([headers] + rows).enumerated().map { index, row in
      var line = ""
      for (position, column) in columns.enumerated() {
        let padding = String(repeating: " ", count: widths[position] - row[column].count)
        line +=
          (position == 0 ? "" : "  ") + (alignments[column] == .right ? padding + row[column] : row[column] + padding)
      }
      while line.last == " " { line.removeLast() }
      if let width = Terminal.width, line.count > width { line = line.prefix(max(width - 1, 1)) + "…" }
      if index == 0 { return Terminal.colored(line, .bold) }
      guard let color = colors[index - 1], let last = row.last, line.hasSuffix(last) else { return line }
      return line.dropLast(last.count) + Terminal.colored(last, color)
    }
  }

  /// The lines of the table in Markdown, nothing cut or coloured.
  func markdown() -> [String] {
    let columns = headers.indices.filter { column in rows.contains { !$0[column].isEmpty } }
    func line(_ cells: [String]) -> String {
      "| " + columns.map { cells[$0].replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
    let rule = columns.map { alignments[$0] == .right ? "---:" : "---" }.joined(separator: " | ")
    return [line(headers), "| \(rule) |"] + rows.map(line)
  }

  func print() { for line in lines() { Swift.print(line) } }
}
