/// One axis of a shape as a model file states it.
public enum Dimension: Sendable, Hashable {
  /// A fixed extent.
  case known(Int)
  /// A named extent, bound when the model runs: two equal names are equal extents.
  case symbolic(String)
  /// An extent nobody stated.
  case unknown

  /// The extent when it is fixed.
  public var value: Int? {
    if case .known(let extent) = self { extent } else { nil }
  }
}

/// The shape of a value: axes in row-major order, outermost first. Rank 0 is a scalar.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral {
  /// The axes, outermost first.
  public var dimensions: [Dimension]

  /// A shape of stated axes.
  public init(_ dimensions: [Dimension]) { self.dimensions = dimensions }
  /// A shape of fixed extents.
  public init(_ extents: [Int]) { dimensions = extents.map(Dimension.known) }
  /// A shape of listed axes.
  public init(arrayLiteral elements: Dimension...) { dimensions = elements }

  /// The number of axes.
  public var rank: Int { dimensions.count }

  /// The axis at a position, counted from the front.
  public subscript(axis: Int) -> Dimension {
    get { dimensions[axis] }
    set { dimensions[axis] = newValue }
  }

  /// All extents, when every one is fixed.
  public var extents: [Int]? {
    var result: [Int] = []
    for dimension in dimensions {
      guard let extent = dimension.value else { return nil }
      result.append(extent)
    }
    return result
  }

  /// The number of elements, when every extent is fixed and the product does not overflow.
  public var elementCount: Int? { extents.flatMap { checkedProduct($0) } }
}

extension Dimension: CustomStringConvertible, ExpressibleByIntegerLiteral {
  /// A fixed extent.
  public init(integerLiteral value: Int) { self = .known(value) }

  /// The extent, the name, or a question mark.
  public var description: String {
    switch self {
    case .known(let extent): String(extent)
    case .symbolic(let name): name
    case .unknown: "?"
    }
  }
}

extension Shape: CustomStringConvertible {
  /// The axes in parentheses.
  public var description: String { "(" + dimensions.map(\.description).joined(separator: ", ") + ")" }
}

/// The product of non-negative extents.
///
/// - Returns: `nil` on a negative extent, or when the extents other than 0 overflow: no part of a shape that has a product
///   overflows by itself. An empty list gives 1, the size of a scalar.
public func checkedProduct(_ extents: some Sequence<Int>) -> Int? {
  var product = 1
  var isEmpty = false
  for extent in extents {
    guard extent >= 0 else { return nil }
    isEmpty = isEmpty || extent == 0
    let (next, overflow) = product.multipliedReportingOverflow(by: max(extent, 1))
    if overflow { return nil }
    product = next
  }
  return isEmpty ? 0 : product
}
