/// Arithmetic on extents and on the integers of shape calculations, either of which may be named or unknown.
extension Dimension {
  /// The extent of a result axis when two axes are broadcast, `nil` when they cannot be.
  func broadcast(with other: Dimension) -> Dimension? {
    switch (self, other) {
    case (.known(1), let extent), (let extent, .known(1)): extent
    case (.known(let left), .known(let right)): left == right ? self : nil
    case (.known, _): self
    case (_, .known): other
    case (.symbolic(let left), .symbolic(let right)): left == right ? self : .unknown
    default: .unknown
    }
  }

  /// What is known of an extent that two places state, `nil` when they contradict.
  func unified(with other: Dimension) -> Dimension? {
    switch (self, other) {
    case (.known(let left), .known(let right)): left == right ? self : nil
    case (.known, _), (_, .unknown): self
    case (_, .known), (.unknown, _): other
    case (.symbolic, .symbolic): self
    }
  }

  /// The product of extents: exact when all are known, the name when one is named and the others are 1.
  ///
  /// - Returns: `nil` on overflow or a negative extent.
  static func product(_ dimensions: some Sequence<Dimension>) -> Dimension? {
    var known: [Int] = []
    var open: [Dimension] = []
    for dimension in dimensions {
      if let value = dimension.value { known.append(value) } else { open.append(dimension) }
    }
    if known.contains(0) { return known.contains { $0 < 0 } ? nil : .known(0) }
    guard let product = checkedProduct(known) else { return nil }
    guard let first = open.first else { return .known(product) }
    return open.count == 1 && product == 1 ? first : .unknown
  }

  /// The sum of extents, with names kept when all others are 0.
  ///
  /// - Returns: `nil` on overflow.
  static func sum(_ dimensions: some Sequence<Dimension>) -> Dimension? {
    var total = 0
    var open: [Dimension] = []
    for dimension in dimensions {
      guard let value = dimension.value else {
        open.append(dimension)
        continue
      }
      let (next, overflow) = total.addingReportingOverflow(value)
      if overflow { return nil }
      total = next
    }
    guard let first = open.first else { return .known(total) }
    return open.count == 1 && total == 0 ? first : .unknown
  }

  /// The sum of two integers; unknown on overflow.
  func plus(_ other: Dimension) -> Dimension { Dimension.sum([self, other]) ?? .unknown }

  /// The difference of two integers; unknown on overflow. A name minus itself is 0.
  func minus(_ other: Dimension) -> Dimension {
    switch (self, other) {
    case (.known(let left), .known(let right)):
      let (result, overflow) = left.subtractingReportingOverflow(right)
      return overflow ? .unknown : .known(result)
    case (_, .known(0)): return self
    case (.symbolic(let left), .symbolic(let right)): return left == right ? .known(0) : .unknown
    default: return .unknown
    }
  }

  /// The product of two integers of any sign; unknown on overflow.
  func times(_ other: Dimension) -> Dimension {
    switch (self, other) {
    case (.known(let left), .known(let right)):
      let (result, overflow) = left.multipliedReportingOverflow(by: right)
      return overflow ? .unknown : .known(result)
    case (.known(0), _), (_, .known(0)): return .known(0)
    case (.known(1), let factor), (let factor, .known(1)): return factor
    default: return .unknown
    }
  }

  /// The quotient of two integers rounded towards zero; unknown when the divisor is 0 or the result overflows.
  func divided(by other: Dimension) -> Dimension {
    switch (self, other) {
    case (.known(let left), .known(let right)):
      let (result, overflow) = left.dividedReportingOverflow(by: right)
      return overflow ? .unknown : .known(result)
    case (_, .known(1)): return self
    case (.symbolic(let left), .symbolic(let right)): return left == right ? .known(1) : .unknown
    default: return .unknown
    }
  }

  /// Whether two integers are equal, as 1 or 0. Distinct names may be equal; a name is never negative.
  func equals(_ other: Dimension) -> Dimension {
    switch (self, other) {
    case (.known(let left), .known(let right)): .known(left == right ? 1 : 0)
    case (.symbolic(let left), .symbolic(let right)): left == right ? .known(1) : .unknown
    case (.symbolic, .known(let value)), (.known(let value), .symbolic): value < 0 ? .known(0) : .unknown
    default: .unknown
    }
  }

  /// The greater of two integers.
  func maximum(_ other: Dimension) -> Dimension {
    guard self != other || self == .unknown else { return self }
    guard let left = value, let right = other.value else { return .unknown }
    return .known(Swift.max(left, right))
  }

  /// The lesser of two integers.
  func minimum(_ other: Dimension) -> Dimension {
    guard self != other || self == .unknown else { return self }
    guard let left = value, let right = other.value else { return .unknown }
    return .known(Swift.min(left, right))
  }
}
