import NNFormat

/// Strings of attributes as elements, which live as long as the table.
package struct StringTable: Sendable {
  package let elements: [StringElement]
  private let owner: Constant

  package init(_ strings: [[UInt8]]) throws(EngineError) {
    do {
      self = try StringTable.table(strings)
    } catch {
      throw EngineError(.invalidGraph, error.message)
    }
  }

  /// The table, with errors as the files' ones.
  static func table(_ strings: [[UInt8]]) throws(FormatError) -> StringTable {
    let tensor = try Tensor(elementType: .string, shape: [strings.count], storage: .strings(strings))
    do throws(EngineError) {
      return StringTable(owner: try Constant(tensor))
    } catch {
      throw FormatError(.malformed, error.message)
    }
  }

  private init(owner: Constant) {
    self.owner = owner
    let width = MemoryLayout<StringElement>.size
    elements = (0..<owner.count).map { index in
      unsafe owner.base.load(fromByteOffset: index * width, as: StringElement.self)
    }
  }
}

extension Node {
  /// A list of strings, when the node has it.
  func strings(_ name: String) -> [[UInt8]]? {
    if case .strings(let values) = attribute(name) { values } else { nil }
  }
}
