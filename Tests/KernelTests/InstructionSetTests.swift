import NNEngine
import Testing

@Suite struct InstructionSetTests {
  @Test func aRequestMasksDownwards() {
    #expect(InstructionSet.select(request: nil, from: [.scalar, .avx2, .avx512]) == .avx512)
    #expect(InstructionSet.select(request: "avx2", from: [.scalar, .avx2, .avx512]) == .avx2)
    #expect(InstructionSet.select(request: "avx512", from: [.scalar, .avx2]) == .avx2)
    #expect(InstructionSet.select(request: "scalar", from: [.scalar, .avx2, .avx512]) == .scalar)
    #expect(InstructionSet.select(request: "mmx", from: [.scalar, .avx2]) == .avx2)
  }

  @Test func aBadRequestIsReported() {
    let available: [InstructionSet] = [.scalar, .avx2]
    #expect(InstructionSet.error(request: nil, available: available) == nil)
    #expect(InstructionSet.error(request: "avx2", available: available) == nil)
    #expect(InstructionSet.error(request: "avx512", available: available)?.contains("scalar, avx2") == true)
    #expect(InstructionSet.error(request: "mmx", available: available)?.contains("mmx") == true)
  }

  @Test func everyKernelIsNamedAfterItsInstructionSet() {
    #expect(InstructionSet.available.contains(.scalar))
    for set in InstructionSet.available { #expect(KernelTable.table(for: set)?.instructionSet == set) }
    for table in KernelTable.all {
      let names = table.names
      #expect(names.count > 30)
      #expect(names.allSatisfy { $0.kernel.hasSuffix("__\(table.instructionSet.rawValue)") })
      #expect(names.contains { $0.operation == "gemm" } && names.contains { $0.operation == "tanh" })
    }
  }
}
