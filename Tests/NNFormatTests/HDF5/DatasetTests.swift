import NNFormat
import TestSupport
import Testing

@Suite struct HDF5DatasetTests {
  private static let numbers = (0..<12).map { Float($0) }

  @Test(arguments: kindsFiles) func everyLayoutGivesItsElements(_ file: String) throws {
    let layouts = try #require(try kindsRoot(file).group("layouts"))
    for name in ["contiguous", "chunked", "gzip", "compact"] {
      let tensor = try layouts.requiredDataset(name).tensor()
      #expect(tensor.shape == [3, 4])
      #expect(try tensor.elements(as: Float.self) == Self.numbers, "\(name)")
    }
    #expect(try layouts.requiredDataset("unwritten").tensor().elements(as: Float.self) == [0, 0, 0, 0])
    #expect(try layouts.requiredDataset("scalar").tensor().shape == [])
    #expect(try layouts.requiredDataset("scalar").tensor().elements(as: Float.self) == [2.5])
    #expect(try layouts.requiredDataset("no_elements").tensor().shape == [0, 3])
  }

  @Test(arguments: kindsFiles) func layoutsAreToldApart(_ file: String) throws {
    let layouts = try #require(try kindsRoot(file).group("layouts"))
    guard case .contiguous(.some) = try layouts.requiredDataset("contiguous").layout,
      case .contiguous(nil) = try layouts.requiredDataset("unwritten").layout,
      case .chunked(let stored) = try layouts.requiredDataset("chunked").layout,
      case .compact = try layouts.requiredDataset("compact").layout
    else {
      Issue.record("a layout is taken for another")
      return
    }
    // Two by two chunks of two by three floats.
    #expect(stored == 4 * 6 * 4)
    #expect(try layouts.requiredDataset("external").layout == .external)
    #expect(try layouts.requiredDataset("virtual").layout == .virtual)
  }

  /// The offsets are those that h5py's `get_offset` reports, the user block added.
  @Test(arguments: zip(kindsFiles, [8192, 6144, 9216])) func contiguousBytesStayWhereTheyLie(
    _ file: String, offset: Int
  ) throws {
    let tensor = try kindsRoot(file).requiredDataset("layouts/contiguous").tensor()
    guard case .mapped(let mapped, let range) = tensor.storage else {
      Issue.record("the elements were copied")
      return
    }
    #expect(range == offset..<offset + 48)
    let expected = Tensor(Self.numbers)
    #expect(try mapped.bytes(range) == expected.denseBytes)
  }

  @Test(arguments: kindsFiles) func elementsInOtherFilesAreRefused(_ file: String) throws {
    for name in ["external", "virtual"] {
      let dataset = try kindsRoot(file).requiredDataset("layouts/\(name)")
      let error = #expect(throws: FormatError.self) { try dataset.tensor() }
      #expect(error?.kind == .refused)
      #expect(error?.place == "/layouts/\(name)")
    }
  }

  @Test(arguments: kindsFiles, ["little", "big"]) func everyNumberTypeInBothByteOrders(
    _ file: String, order: String
  ) throws {
    let types: [(String, ElementType)] = [
      ("i1", .int8), ("i2", .int16), ("i4", .int32), ("i8", .int64), ("u1", .uint8), ("u2", .uint16), ("u4", .uint32),
      ("u8", .uint64), ("f2", .float16), ("f4", .float32), ("f8", .float64),
    ]
    let root = try kindsRoot(file)
    for (name, elementType) in types {
      let tensor = try root.requiredDataset("types/\(name)_\(order)").tensor()
      let expected: [Double] = name.hasPrefix("u") ? [0, 1, 2, 3, 4, 5] : [-3, -2, -1, 0, 1, 2]
      #expect(tensor.elementType == elementType)
      #expect(try tensor.doubles() == expected, "\(name)")
      let isMapped = if case .mapped = tensor.storage { true } else { false }
      #expect(isMapped == (order == "little" || name.hasSuffix("1")), "\(name)")
    }
  }

  @Test(arguments: kindsFiles) func typesWithoutANumberOfTheirOwn(_ file: String) throws {
    let root = try kindsRoot(file)
    #expect(try root.requiredDataset("types/bool").tensor().elements(as: Bool.self) == [true, false, true])
    let bfloat16 = try root.requiredDataset("types/bfloat16").tensor()
    #expect(bfloat16.elementType == .bfloat16)
    #expect(try bfloat16.doubles() == [1, -2, 0.5])
    for name in ["strings", "compound"] {
      let dataset = try root.requiredDataset("types/\(name)")
      let error = #expect(throws: FormatError.self) { try dataset.tensor() }
      #expect(error?.kind == .unsupported)
    }
  }

  @Test func expansionOutOfProportionIsRefused() throws {
    var limits = ReadLimits()
    (limits.freelyExpandedBytes, limits.expansionRatio) = (0, 1)
    let root = try kindsRoot("kinds.h5")
    let error = #expect(throws: FormatError.self) {
      try root.requiredDataset("layouts/unwritten").tensor(limits: limits)
    }
    #expect(error?.kind == .limit)
    #expect(try root.requiredDataset("layouts/contiguous").tensor(limits: limits).count == 12)
  }

  @Test(arguments: [
    "dialect_big_endian.h5", "dialect_chunked.h5", "dialect_compact.h5", "dialect_fixed_strings.h5",
    "dialect_float64.h5", "dialect_gzip_shuffle.h5", "dialect_latest.h5", "dialect_latest_gzip.h5",
    "dialect_split_names.h5", "dialect_superblock_2.h5", "dialect_user_block.h5",
  ]) func everyDialectHoldsTheSameWeights(_ name: String) throws {
    func weights(_ name: String) throws -> [String: [Double]] {
      let root = try HDF5Index(ByteRegion(MappedFile(path: Fixtures.model(name)))).root
      var values: [String: [Double]] = [:]
      for dataset in root.allDatasets { values[dataset.path] = try dataset.tensor().doubles() }
      return values
    }
    let plain = try weights("dialect_plain.h5")
    #expect(plain.count >= 4)
    #expect(try weights(name) == plain)
  }
}
