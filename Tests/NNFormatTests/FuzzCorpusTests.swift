import Foundation
import FuzzTargets
import NNFormat
import TestSupport
import Testing

/// What fuzzing starts from and has found, through the entry points of fuzzing.
@Suite struct FuzzCorpusTests {
  /// Small inputs that together reach what fuzzing has reached, and those that a reader once broke on.
  @Test(arguments: FuzzTarget.allCases) func everythingFoundIsHandled(_ target: FuzzTarget) throws {
    let corpus = try Self.corpus(target)
    #expect(!corpus.isEmpty)
    for (name, bytes) in corpus {
      do { try target.run(bytes) } catch { Issue.record("\(target.rawValue)/\(name): \(error)") }
    }
  }

  /// Real content is read without a contradiction, and so is what a few seeded changes make of it.
  @Test(arguments: FuzzTarget.allCases) func seedsAndTheirNeighboursAreHandled(_ target: FuzzTarget) throws {
    let seeds = try target.seeds(limit: 4096)
    try #require(!seeds.isEmpty)
    var numbers = SeededNumbers(UInt64(seeds.count))
    for (name, bytes) in seeds.prefix(40) {
      do {
        try target.run(bytes)
        for _ in 0..<20 {
          var changed = bytes
          ByteMutation.mutate(&changed, &numbers, other: seeds[0].bytes)
          try target.run(changed)
        }
      } catch {
        Issue.record("\(target.rawValue)/\(name): \(error)")
      }
    }
  }

  private static func corpus(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
    let folder = Fixtures.path("../Fuzz/corpus/\(target.rawValue)")
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map {
      ($0, try TemporaryFolder.bytes(of: "\(folder)/\($0)"))
    }
  }
}
