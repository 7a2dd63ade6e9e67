internal import CKernels
import Glibc

/// A set of vector instructions that kernels are compiled for, in ascending order of preference.
package enum InstructionSet: String, CaseIterable, Comparable, Sendable {
  case scalar
  case neon
  case avx2
  case avx512

  package static func < (left: InstructionSet, right: InstructionSet) -> Bool { left.rank < right.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// The sets that this processor and its operating system run, `scalar` always among them.
  package static let available: [InstructionSet] = allCases.filter { set in
    set.tableIndex.map { nn_isa_is_available($0) } ?? false
  }

  /// The set that `NNFMT_ISA` allows and the processor prefers.
  ///
  /// `NNFMT_ISA` names the highest set to use; a name that is unknown or not available here changes nothing.
  package static let best: InstructionSet = select(request: requested, from: available)

  /// What is wrong with `NNFMT_ISA`, for the command line to report; nil when it is unset or valid.
  package static func environmentError() -> String? {
    error(request: requested, available: available)
  }

  package static func select(request: String?, from available: [InstructionSet]) -> InstructionSet {
    let limit = request.flatMap(InstructionSet.init(rawValue:)) ?? .avx512
    return available.last { $0 <= limit } ?? .scalar
  }

  package static func error(request: String?, available: [InstructionSet]) -> String? {
    guard let request else { return nil }
    let names = available.map(\.rawValue).joined(separator: ", ")
    guard let set = InstructionSet(rawValue: request) else {
      return "NNFMT_ISA=\(request) is not an instruction set; this machine has \(names)"
    }
    return available.contains(set) ? nil : "NNFMT_ISA=\(request) is not available; this machine has \(names)"
  }

  private static var requested: String? {
    guard let value = unsafe getenv("NNFMT_ISA") else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
  }

  /// The position in the kernel lists, nil for a set of another processor family.
  var tableIndex: Int32? {
    (0..<Int32(nn_isa_count)).first { unsafe String(cString: nn_isa_name($0)) == rawValue }
  }
}
