/// The rule of Einsum.
extension InferenceRules {
  /// Einsum: letters name axes, `...` stands for axes that are broadcast, `->` introduces the output.
  static func einsum(_ context: inout InferenceContext) throws(FormatError) {
    let type = try context.commonElementType(context.inputs.indices)
    let text = context.node.text("equation", default: "").filter { $0 != " " }
    let sides = text.split(separator: "->", omittingEmptySubsequences: false)
    guard sides.count <= 2, let inputSide = sides.first else {
      throw context.malformed("the equation \"\(text)\" has more than one arrow")
    }
    let terms = inputSide.split(separator: ",", omittingEmptySubsequences: false).map { EinsumTerm($0) }
    let output = sides.count == 2 ? EinsumTerm(sides[1]) : EinsumTerm(impliedBy: terms.compactMap { $0 })
    guard let output, !terms.contains(where: { $0 == nil }) else {
      throw context.malformed("the equation \"\(text)\" is not understood")
    }
    guard terms.count == context.inputs.count else {
      throw context.mismatch("the equation \"\(text)\" has \(terms.count) terms for \(context.inputs.count) inputs")
    }
    var bound = EinsumAxes()
    for (index, term) in terms.enumerated() {
      guard let term else { continue }
      try bound.bind(term, to: context.shape(index), in: context)
    }
    context.setOutput(type, try bound.shape(of: output, in: context))
  }
}

/// One term of an equation: letters before and after an ellipsis.
private struct EinsumTerm {
  var head: [Character]
  var tail: [Character] = []
  var hasEllipsis = false

  /// - Returns: `nil` when the text holds anything but letters and at most one ellipsis.
  init?(_ text: Substring) {
    let parts = text.split(separator: "...", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.joined().allSatisfy({ $0.isASCII && $0.isLetter }) else { return nil }
    hasEllipsis = parts.count == 2
    head = Array(parts.first ?? "")
    if hasEllipsis { tail = Array(parts.last ?? "") }
  }

  /// The output of an equation that states none: the ellipsis and the letters that occur once, in order.
  init(impliedBy terms: [EinsumTerm]) {
    var counts: [Character: Int] = [:]
    for letter in terms.flatMap({ $0.head + $0.tail }) { counts[letter, default: 0] += 1 }
    hasEllipsis = terms.contains { $0.hasEllipsis }
    head = []
    tail = counts.filter { $0.value == 1 }.keys.sorted()
  }
}

/// The extents of the letters and of the ellipsis.
private struct EinsumAxes {
  var letters: [Character: Dimension] = [:]
  /// `nil` when an operand with an ellipsis has no known rank.
  var ellipsis: Shape? = []

  mutating func bind(
    _ term: EinsumTerm, to shape: Shape?, in context: InferenceContext
  ) throws(FormatError) {
    let named = term.head.count + term.tail.count
    guard let shape else {
      for letter in term.head + term.tail where letters[letter] == nil { letters[letter] = .unknown }
      if term.hasEllipsis { ellipsis = nil }
      return
    }
    guard shape.rank == named || (term.hasEllipsis && shape.rank > named) else {
      throw context.mismatch("an input of shape \(shape) is given for a term of \(named) letters")
    }
    let middle = shape.dimensions.dropFirst(term.head.count).dropLast(term.tail.count)
    let ends = Array(shape.dimensions.prefix(term.head.count)) + Array(shape.dimensions.suffix(term.tail.count))
    for (letter, extent) in zip(term.head + term.tail, ends) {
      guard let known = letters[letter] else {
        letters[letter] = extent
        continue
      }
      guard let both = known.broadcast(with: extent) else {
        throw context.mismatch("letter \(letter) stands for extents \(known) and \(extent)")
      }
      letters[letter] = both
    }
    if term.hasEllipsis, let before = ellipsis {
      ellipsis = try context.broadcastShape(before, Shape(Array(middle)))
    }
  }

  func shape(of output: EinsumTerm, in context: InferenceContext) throws(FormatError) -> Shape? {
    var dimensions: [Dimension] = []
    var seen: Set<Character> = []
    for (part, isHead) in [(output.head, true), (output.tail, false)] {
      for letter in part {
        guard let extent = letters[letter] else {
          throw context.malformed("the output letter \(letter) does not occur in the inputs")
        }
        guard seen.insert(letter).inserted else {
          throw context.malformed("the output letter \(letter) occurs twice")
        }
        dimensions.append(extent)
      }
      if isHead, output.hasEllipsis {
        guard let ellipsis else { return nil }
        dimensions += ellipsis.dimensions
      }
    }
    return Shape(dimensions)
  }
}
