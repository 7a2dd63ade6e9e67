import NNEngine
import Testing

/// Every vector function of this machine against double precision, within the bounds that `Activation` states.
@Suite struct ActivationTests {
  /// Dense around zero, across all magnitudes, and the places where the functions change their behaviour.
  static let inputs: [Float] = {
    var values = (-40_000...40_000).map { Float($0) / 400 }
    for exponent in -149...127 {
      for mantissa: Float in [1, 1.1, 1.25, 1.4142135, 1.4142137, 1.5, 1.7, 1.9999999] {
        let value =
          mantissa
          * (exponent < -126
            ? Float(sign: .plus, exponent: exponent, significand: 1)
            : Float(sign: .plus, exponent: exponent, significand: 1))
        values += [value, -value]
      }
    }
    for edge: Float in [
      88.7, 88.72283, 88.72284, 89, 87.3, 87.4, 103.27, 103.9, 103.98, 104, 9.01, 10, 20, 1, 4, 14.6, 0.75,
    ] {
      for value in [edge, edge.nextUp, edge.nextDown] { values += [value, -value] }
    }
    return values + [0, -0.0, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude]
  }()

  /// Whether `y` is within the stated bound of the exact value.
  static func isWithinBound(_ activation: Activation, x: Float, y: Float, exact: Double) -> Bool {
    if exact.isNaN { return y.isNaN }
    let rounded = Float(exact)
    if rounded.bitPattern == y.bitPattern || rounded == y { return true }
    let error = abs(Double(y) - exact)
    let subnormalStep = Double(Float.leastNonzeroMagnitude)
    let relative = max(1e-6 * abs(exact), 2 * Double(rounded.isFinite ? rounded.ulp : 0))
    switch activation {
    case .silu, .gelu, .mish: return error <= relative + subnormalStep * max(1, abs(Double(x)))
    case .geluTanh: return error <= max(relative, 1e-8)
    case .swish: return error <= max(relative, 1e-12)
    case .hardSigmoid: return error <= max(relative, 1e-7)
    default: return error <= relative + subnormalStep
    }
  }

  @Test(arguments: InstructionSet.available, activations)
  func isWithinTheStatedBound(set: InstructionSet, activation: Activation) throws {
    let table = try #require(KernelTable.table(for: set))
    let results = apply(activation, Self.inputs, table)
    var failures: [String] = []
    for (x, y) in zip(Self.inputs, results) {
      let expected = exact(activation, x)
      if !Self.isWithinBound(activation, x: x, y: y, exact: expected) {
        failures.append("f(\(x)) = \(y), not \(expected)")
      }
    }
    #expect(failures.isEmpty, "\(failures.count), such as \(failures.prefix(5))")
  }

  @Test(arguments: InstructionSet.available, activations)
  func passesNaNOn(set: InstructionSet, activation: Activation) throws {
    let table = try #require(KernelTable.table(for: set))
    for place in 0..<19 {
      var x = [Float](repeating: 0.5, count: 19)
      x[place] = .nan
      let y = apply(activation, x, table)
      #expect(y.indices.allSatisfy { y[$0].isNaN == ($0 == place) }, "\(y)")
    }
  }

  @Test(arguments: InstructionSet.available, activations)
  func anElementDoesNotDependOnItsPlace(set: InstructionSet, activation: Activation) throws {
    let table = try #require(KernelTable.table(for: set))
    let x = [Float](Self.inputs[39_000..<39_100])
    let whole = apply(activation, x, table)
    for count in 1...40 {
      for start in [0, 1, 7, 60] {
        let part = apply(activation, [Float](x[start..<start + count]), table)
        #expect(differences(part, [Float](whole[start..<start + count])) == 0)
      }
    }
  }

  @Test(arguments: activations)
  func theInstructionSetsAgree(activation: Activation) throws {
    let scalar = apply(activation, Self.inputs, try #require(KernelTable.table(for: .scalar)))
    for set in InstructionSet.available {
      let other = apply(activation, Self.inputs, try #require(KernelTable.table(for: set)))
      #expect(differences(scalar, other) == 0, "\(set)")
    }
  }
}
