import NNFormat
import Testing

/// One line of a table of inferences: `Operator@version : inputs : attributes : outputs`.
///
/// Values are separated by `|`: a letter for the type (`f` float32, `d` float64, `h` float16, `l` int64, `i` int32,
/// `u` uint8, `c` int8, `b` bool, `s` string, `?` not known), the shape in brackets unless the rank is not known, and
/// known elements in braces: `l[2]{N,-1}`. An extent is a number, a name or `?`. `_` is an omitted input. Attributes
/// are separated by `;`. Outputs may be `!kind`, the kind of the error that is thrown.
struct InferenceCase: CustomTestStringConvertible {
  let text: String
  let node: Node
  let version: Int
  let inputs: [InferredValue?]
  let outputs: [InferredValue]
  let failure: String?

  var testDescription: String { text }

  static func table(_ text: String) -> [InferenceCase] { text.split(separator: "\n").map { InferenceCase($0) } }

  init(_ line: Substring) {
    text = String(line)
    let fields = line.split(separator: ":", omittingEmptySubsequences: false).map { $0.trimmed }
    precondition(fields.count == 4, "four fields are needed: \(line)")
    let head = fields[0].split(separator: "@")
    version = head.count > 1 ? Int(head[1]) ?? 0 : 21
    inputs = fields[1].split(separator: "|").map { InferredValue(notation: $0.trimmed) }
    failure = fields[3].hasPrefix("!") ? String(fields[3].dropFirst()) : nil
    outputs = failure == nil ? fields[3].split(separator: "|").compactMap { InferredValue(notation: $0.trimmed) } : []
    node = Node(
      name: "n", String(head[0]), inputs: inputs.enumerated().map { $1 == nil ? "" : "in\($0)" },
      outputs: (0..<max(outputs.count, 1)).map { "out\($0)" },
      attributes: fields[2].split(separator: ";").map { Attribute(notation: $0.trimmed) })
  }

  /// Runs the inference and compares.
  func check(sourceLocation: SourceLocation = #_sourceLocation) {
    var inference = ShapeInference(operatorSets: [OperatorSetImport(version: version)])
    for (index, value) in inputs.enumerated() { if let value { inference.add(value, named: "in\(index)") } }
    do throws(FormatError) {
      let result = try inference.add(node)
      #expect(failure == nil, "\(text) gave \(result)", sourceLocation: sourceLocation)
      if failure == nil {
        #expect(result == outputs, "\(text)", sourceLocation: sourceLocation)
        #expect(inference["out0"] == outputs.first, sourceLocation: sourceLocation)
      }
    } catch {
      #expect("\(error.kind)" == failure, "\(text): \(error)", sourceLocation: sourceLocation)
      #expect(error.place == "node \(node.label)", sourceLocation: sourceLocation)
    }
  }
}

extension InferredValue {
  /// - Returns: `nil` for an omitted value.
  init?(notation text: Substring) {
    guard text != "_" else { return nil }
    let types: [Character: ElementType] = [
      "f": .float32, "d": .float64, "h": .float16, "l": .int64, "i": .int32, "u": .uint8, "c": .int8, "b": .bool,
      "s": .string,
    ]
    func list(_ opening: Character, _ closing: Character) -> [Dimension]? {
      guard let start = text.firstIndex(of: opening), let end = text.firstIndex(of: closing) else { return nil }
      return text[text.index(after: start)..<end].split(separator: ",").map { entry in
        if entry == "?" { return .unknown }
        return Int(entry).map(Dimension.known) ?? .symbolic(String(entry))
      }
    }
    self.init(
      elementType: text.first.flatMap { types[$0] }, shape: list("[", "]").map { Shape($0) },
      contents: list("{", "}"))
  }
}

extension Attribute {
  init(notation text: Substring) {
    let parts = text.split(separator: "=", maxSplits: 1)
    let (name, value) = (String(parts[0]), parts.count > 1 ? parts[1] : "")
    if value.hasPrefix("[") {
      self.init(name, .ints(value.dropFirst().dropLast().split(separator: ",").compactMap { Int64($0) }))
    } else if let number = Int64(value) {
      self.init(name, .int(number))
    } else if let number = Float(value) {
      self.init(name, .float(number))
    } else {
      self.init(name, .text(String(value)))
    }
  }
}

extension Substring {
  var trimmed: Substring {
    var text = drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return text
  }
}
