/// Operations of `keras.ops` that a Functional model records when tensors are combined without a layer, such as `x + y`.
enum OperationTable {
  private static let rules: [any LayerRule.Type] = [
    AddOperation.self, SubtractOperation.self, MultiplyOperation.self, DivideOperation.self,
    ReluOperation.self, SigmoidOperation.self, TanhOperation.self,
  ]

  /// The rule for an operation's class name.
  static func rule(for className: String) -> (any LayerRule.Type)? {
    rules.first { $0.classNames.contains(className) }
  }
}

/// An operation over one or two arguments, each a tensor or a number.
protocol OperationRule: LayerRule {
  static var operatorType: String { get }
}

extension OperationRule {
  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    guard let reference = call.inputs.first else { throw call.error(.mismatch, "it has no tensor among its arguments") }
    var tensors = call.inputs[...]
    var operands: [LoweredValue] = []
    for (index, argument) in (call.arguments?.arguments ?? []).enumerated() {
      switch argument {
      case .tensor:
        if let tensor = tensors.popFirst() { operands.append(tensor) }
      case .constant(let json):
        guard let number = json.float else {
          throw call.error(.unsupported, "its argument \(json.text().prefix(40)) is not a number")
        }
        operands.append(try lowering.scalar(number, "argument_\(index)", like: reference, in: call))
      case .list: throw call.error(.unsupported, "its argument is a list")
      }
    }
    return [try lowering.add(operatorType, operands, in: call)]
  }
}

enum AddOperation: OperationRule {
  static let classNames = ["Add"]
  static let operatorType = "Add"
}

enum SubtractOperation: OperationRule {
  static let classNames = ["Subtract"]
  static let operatorType = "Sub"
}

enum MultiplyOperation: OperationRule {
  static let classNames = ["Multiply"]
  static let operatorType = "Mul"
}

enum DivideOperation: OperationRule {
  static let classNames = ["Divide", "TrueDivide"]
  static let operatorType = "Div"
}

enum ReluOperation: OperationRule {
  static let classNames = ["Relu"]
  static let operatorType = "Relu"
}

enum SigmoidOperation: OperationRule {
  static let classNames = ["Sigmoid"]
  static let operatorType = "Sigmoid"
}

enum TanhOperation: OperationRule {
  static let classNames = ["Tanh"]
  static let operatorType = "Tanh"
}
