extension JSONValue {
  /// How a document is laid out.
  public enum Style: Sendable {
    /// `{"a": 1, "b": [2, 3]}`, the layout of Python's `json.dumps`, characters outside ASCII escaped.
    case python
    /// One member a line, indented by two spaces, arrays of scalars on one line, UTF-8.
    case indented
  }

  /// The document as text.
  public func text(_ style: Style = .python) -> String {
    var output = ""
    write(to: &output, style: style, indent: 0)
    return output
  }

  private func write(to output: inout String, style: Style, indent: Int) {
    switch self {
    case .null: output += "null"
    case .bool(let value): output += value ? "true" : "false"
    case .number(let text): output += text
    case .string(let text): Self.quote(text, to: &output, ascii: style == .python)
    case .array(let elements):
      let onOneLine = style == .python || elements.allSatisfy(\.isScalar)
      Self.list(elements, "[", "]", to: &output, onOneLine: onOneLine, indent: indent) { element, output in
        element.write(to: &output, style: style, indent: indent + 2)
      }
    case .object(let members):
      let onOneLine = style == .python || members.isEmpty
      Self.list(members.elements, "{", "}", to: &output, onOneLine: onOneLine, indent: indent) { member, output in
        Self.quote(member.key, to: &output, ascii: style == .python)
        output += ": "
        member.value.write(to: &output, style: style, indent: indent + 2)
      }
    }
  }

  private var isScalar: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }

  private static func list<Items: Collection>(
    _ items: Items, _ opening: String, _ closing: String, to output: inout String, onOneLine: Bool, indent: Int,
    writeItem: (Items.Element, inout String) -> Void
  ) {
    output += opening
    for (index, item) in items.enumerated() {
      if index > 0 { output += onOneLine ? ", " : "," }
      if !onOneLine { output += "\n" + String(repeating: " ", count: indent + 2) }
      writeItem(item, &output)
    }
    if !onOneLine, !items.isEmpty { output += "\n" + String(repeating: " ", count: indent) }
    output += closing
  }

  private static func quote(_ text: String, to output: inout String, ascii: Bool) {
    output += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case "\u{08}": output += "\\b"
      case "\u{0C}": output += "\\f"
      case _ where scalar.steersTerminal && (!ascii || scalar.value < 0x80):
        output += hexEscape(UInt16(scalar.value))
      case _ where ascii && scalar.value > 0x7E:
        for unit in String(scalar).utf16 { output += hexEscape(unit) }
      default: output.unicodeScalars.append(scalar)
      }
    }
    output += "\""
  }

  private static func hexEscape(_ unit: UInt16) -> String {
    let digits = String(unit, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}
