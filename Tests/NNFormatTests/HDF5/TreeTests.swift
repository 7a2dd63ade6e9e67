import NNFormat
import TestSupport
import Testing

@Suite struct HDF5TreeTests {
  @Test(arguments: kindsFiles) func linksAreShownAndNeverFollowed(_ file: String) throws {
    let links = try #require(try kindsRoot(file).group("links"))
    guard case .dataset(let hard) = links.children["hard"],
      case .softLink("/layouts/contiguous") = links.children["soft"],
      case .softLink("/nowhere") = links.children["dangling"],
      case .externalLink("elsewhere.h5") = links.children["external"], case .other(let loop) = links.children["self"]
    else {
      Issue.record("a link is taken for something else: \(links.children)")
      return
    }
    #expect(try hard.tensor().shape == [3, 4])
    #expect(loop == "a group that is listed at another path")
    guard case .other("a named type") = try kindsRoot(file).children["named_type"] else {
      Issue.record("the named type is taken for something else")
      return
    }
  }

  @Test(arguments: kindsFiles) func pathsLeadToObjects(_ file: String) throws {
    let root = try kindsRoot(file)
    #expect(root.path == "/")
    #expect(Array(root.children.keys) == ["layouts", "links", "named_type", "types"])
    #expect(root.group("types")?.path == "/types")
    #expect(root.group("types")?.path(of: "x") == "/types/x")
    #expect(try root.requiredDataset("types/bool").path == "/types/bool")
    #expect(root.object(at: "types/none") == nil)
    #expect(root.object(at: "types/bool/below") == nil)
    #expect(root.dataset("types") == nil)
  }

  @Test(arguments: [\ReadLimits.objectCount, \ReadLimits.depth]) func boundsHold(
    _ bound: WritableKeyPath<ReadLimits, Int> & Sendable
  ) throws {
    var limits = ReadLimits()
    limits[keyPath: bound] = 0
    let region = ByteRegion(try MappedFile(path: Fixtures.path("hdf5/kinds.h5")))
    let error = #expect(throws: FormatError.self) { try HDF5Index(region, limits: limits) }
    #expect(error?.kind == .limit)
    #expect(error?.file == region.name)
  }

  /// A file that ends early is refused, or read as far as it can be, at every place where it may end.
  @Test(arguments: [
    "hdf5/kinds.h5", "hdf5/kinds_latest.h5", "models/dialect_plain.h5", "models/dialect_latest_gzip.h5",
  ])
  func truncationIsATypedError(_ name: String) throws {
    let whole = try MappedFile(path: Fixtures.path(name)).bytes(0..<MappedFile(path: Fixtures.path(name)).count)
    var refused = 0
    for step in 0..<100 {
      let count = whole.count * step / 100
      let region = ByteRegion(AlignedBytes(copying: Array(whole[..<count])), name: "cut at \(count)")
      do throws(FormatError) {
        for dataset in try HDF5Index(region).root.allDatasets where dataset.layout != .external {
          _ = try? dataset.tensor().denseBytes
        }
      } catch {
        refused += 1
        #expect([.truncated, .malformed].contains(error.kind), "\(error)")
        #expect(error.file == region.name)
        #expect(!"\(error)".contains { $0.isNewline })
      }
    }
    #expect(refused == 100)
  }

  @Test func aNewerDialectThanTheLibraryKnowsIsNamed() throws {
    let error = #expect(throws: FormatError.self) { try kindsRoot("newer_library.h5") }
    #expect(error?.advice?.contains("newer HDF5 library") == true)
  }

  @Test func concurrentReadersDoNotDisturbEachOther() async throws {
    let expected = try kindsRoot("kinds.h5").requiredDataset("layouts/gzip").tensor().denseBytes
    try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for index in 0..<16 {
        group.addTask {
          try kindsRoot(kindsFiles[index % 3]).requiredDataset("layouts/gzip").tensor().denseBytes
        }
      }
      for try await bytes in group { #expect(bytes == expected) }
    }
  }
}
