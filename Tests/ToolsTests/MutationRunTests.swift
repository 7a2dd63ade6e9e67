import TestSupport
import Testing

/// The short run of `scripts/mutate`: changed fixtures through the built program.
@Suite struct MutationRunTests {
  @Test func changedFilesAreHandledOrRefused() throws {
    let folder = try TemporaryFolder()
    let result = try Tool.run(
      ["--count", "200", "--seed", "8", "--nnfmt", Tool.path, "--keep", folder.file("kept")], program: "Mutate")
    #expect(result.status == 0, "\(result.error)\n\(result.output)")
    #expect(result.output.contains("convert"))
  }
}
