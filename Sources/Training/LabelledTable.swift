import NNFormat

/// Reads a table of features with one target column. Columns of words become one column for each word.
enum LabelledTable {
  static func read(
    _ path: String, target: String?, skipsBad: Bool, input: Value, words: [[String]?]? = nil
  ) throws(FormatError) -> LabelledData {
    do throws(FormatError) {
      let bytes = try ByteRegion(try MappedFile(path: path)).bytes()
      var (rows, lines, skipped) = try cells(String(decoding: bytes, as: UTF8.self), skipsBad: skipsBad)
      guard let first = rows.first else { throw FormatError(.malformed, "the table has no rows") }
      let hasNames = !first.contains { Double($0) != nil }
      let names = hasNames ? first : first.indices.map { String($0) }
      if hasNames { (rows, lines) = (Array(rows.dropFirst()), Array(lines.dropFirst())) }
      guard !rows.isEmpty else { throw FormatError(.malformed, "the table has no rows behind its names") }
      let column = try self.column(target, names)
      var features: [Float] = []
      var encodings: [[String]?] = []
      if let words, words.count != names.count {
        throw FormatError(.mismatch, "the table has \(names.count) columns, the one that is trained on \(words.count)")
      }
      for index in names.indices {
        if let words {
          try check(rows, lines, column: index, words[index])
          encodings.append(words[index])
          continue
        }
        let isNumeric = rows.allSatisfy { Double($0[index]) != nil }
        encodings.append(isNumeric ? nil : Set(rows.map { $0[index] }).sorted())
      }
      for row in rows {
        for index in names.indices where index != column {
          if let words = encodings[index] {
            features += words.map { $0 == row[index] ? 1 : 0 }
          } else {
            features.append(Float(row[index]) ?? .nan)
          }
        }
      }
      let width = features.count / rows.count
      let extents = input.shape?.dimensions.dropFirst().compactMap(\.value)
      let wanted = extents?.reduce(1, *) ?? width
      guard width == wanted else {
        throw FormatError(
          .mismatch,
          "the table has \(width) features a row, words counted one for each, and the input \"\(input.name)\" takes \(wanted)"
        )
      }
      let shape = [rows.count] + (extents ?? [width])
      let labels = rows.map { row in
        encodings[column].map { Float($0.firstIndex(of: row[column]) ?? 0) } ?? Float(row[column]) ?? .nan
      }
      var data = LabelledData(
        inputs: [try Tensor(features, shape: shape).converted(to: input.elementType ?? .float32)],
        targets: Tensor(labels), classNames: encodings[column])
      data.skipped = skipped
      data.words = encodings
      return data
    } catch {
      throw error.inFile(path)
    }
  }

  /// Whether a column has numbers where the table that is trained on has numbers, and no other words than that.
  private static func check(
    _ rows: [[String]], _ lines: [Int], column: Int, _ words: [String]?
  ) throws(FormatError) {
    for (row, line) in zip(rows, lines) {
      let isKnown = words.map { $0.contains(row[column]) } ?? (Double(row[column]) != nil)
      guard isKnown else {
        throw FormatError(
          .mismatch, "\"\(row[column])\" in column \(column + 1) does not occur in the table that is trained on",
          at: "line \(line)")
      }
    }
  }

  private static func column(_ target: String?, _ names: [String]) throws(FormatError) -> Int {
    guard let target else { return names.count - 1 }
    if let place = names.firstIndex(of: target) { return place }
    if let number = Int(target), names.indices.contains(number) { return number }
    throw FormatError(
      .missing, "there is no column \"\(target)\"", advice: "Its columns are \(names.joined(separator: ", "))")
  }

  /// The cells of each line; a line with an empty cell or another number of cells is an error, or is skipped.
  private static func cells(
    _ text: String, skipsBad: Bool
  ) throws(FormatError) -> (rows: [[String]], lines: [Int], skipped: Int) {
    var (rows, lines, skipped): ([[String]], [Int], Int) = ([], [], 0)
    let separator: Character = text.prefix { !$0.isNewline }.contains("\t") ? "\t" : ","
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
    where !line.allSatisfy(\.isWhitespace) {
      let cells = split(line, separator)
      let problem: String? =
        if let first = rows.first, cells.count != first.count {
          "the row has \(cells.count) cells, the first one \(first.count)"
        } else if let empty = cells.firstIndex(of: "") {
          "cell \(empty + 1) is empty"
        } else {
          nil
        }
      if let problem {
        guard skipsBad else {
          throw FormatError(
            .malformed, problem, at: "line \(index + 1)", advice: "Leave such rows out with --skip-bad")
        }
        skipped += 1
        continue
      }
      rows.append(cells)
      lines.append(index + 1)
    }
    return (rows, lines, skipped)
  }

  /// Cells between separators, which may stand in double quotes.
  private static func split(_ line: Substring, _ separator: Character) -> [String] {
    var (cells, cell, isQuoted): ([String], String, Bool) = ([], "", false)
    for character in line {
      if character == "\"" {
        isQuoted.toggle()
      } else if character == separator, !isQuoted {
        cells.append(cell)
        cell = ""
      } else {
        cell.append(character)
      }
    }
    cells.append(cell)
    return cells.map { text in
      var trimmed = Substring(text)
      while trimmed.first?.isWhitespace == true { trimmed.removeFirst() }
      while trimmed.last?.isWhitespace == true { trimmed.removeLast() }
      return String(trimmed)
    }
  }
}
