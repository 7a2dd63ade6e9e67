import Foundation
import TestSupport
import Testing

/// The table of finding codes in docs/FINDINGS.md and the code that reports them.
@Suite struct FindingCodeTests {
  private static let project = Fixtures.path("..")

  /// The codes in the first columns of the tables.
  private static func documented() throws -> Set<String> {
    let text = try String(contentsOfFile: "\(project)/docs/FINDINGS.md", encoding: .utf8)
    return Set(text.matches(of: /\n\| ([a-z]+(?:-[a-z]+)*) \| (?:error|warning|note)/).map { String($0.output.1) })
  }

  private static func sources() throws -> [String] {
    let folder = "\(project)/Sources/Format"
    return try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }.map {
      try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)
    }
  }

  @Test func everyCodeIsDocumented() throws {
    let documented = try Self.documented()
    #expect(documented.count > 60)
    var reported: Set<String> = []
    for source in try Self.sources() {
      let literals = source.matches(of: /\.(?:error|warning|note),\s*"([a-z-]+)"/).map { $0.output.1 }
      reported.formUnion((literals + source.matches(of: /code: "([a-z-]+)"/).map { $0.output.1 }).map(String.init))
    }
    #expect(reported.count > 50)
    #expect(reported.subtracting(documented).isEmpty, "\(reported.subtracting(documented).sorted())")
  }

  @Test func everyDocumentedCodeIsReported() throws {
    let sources = try Self.sources()
    for code in try Self.documented() {
      // Some codes are made of the role of a value.
      let parts = code.split(separator: "-")
      let isMade = ["duplicate", "unnamed"].contains(parts[0]) && ["input", "initializer"].contains(parts[1])
      let literal = isMade ? "\"\(parts[0])-\\(role)\"" : "\"\(code)\""
      #expect(sources.contains { $0.contains(literal) }, "\(code)")
    }
  }
}
