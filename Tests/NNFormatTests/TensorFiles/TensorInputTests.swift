import NNFormat
import OrderedCollections
import TestSupport
import Testing

@Suite struct TensorInputTests {
  private let inputs = ["a", "b"].map { Value(name: $0, elementType: .float32, shape: [.symbolic("batch"), 2]) }
  private let one = Tensor([1, 2] as [Float], shape: [1, 2])
  private let two = Tensor([3, 4] as [Float], shape: [1, 2])

  private func values(_ assigned: [String: Tensor]) throws -> [String: [Float]] {
    try assigned.mapValues { try $0.elements(as: Float.self) }
  }

  @Test func namesInAnArchiveGoBeforeItsOrder() throws {
    let swapped = try TensorInput.assign([(nil, .named(["b": two, "a": one, "c": one]))], to: inputs)
    #expect(try values(swapped) == ["a": [1, 2], "b": [3, 4]])
    let ordered = try TensorInput.assign([(nil, .named(["x": two, "y": one]))], to: inputs)
    #expect(try values(ordered) == ["a": [3, 4], "b": [1, 2]])
  }

  @Test func whatHasNoNameFillsWhatIsLeft() throws {
    let table = try CSVTable("5,6\n")
    let assigned = try TensorInput.assign([("b", .tensor(two)), (nil, .table(table))], to: inputs)
    #expect(try values(assigned) == ["a": [5, 6], "b": [3, 4]])
    let fromArchive = try TensorInput.assign(
      [("a", .named(["z": one])), ("b", .named(["b": two, "q": one]))], to: inputs)
    #expect(try values(fromArchive) == ["a": [1, 2], "b": [3, 4]])
  }

  @Test func whatDoesNotFitIsNamed() throws {
    let cases: [([(name: String?, input: TensorInput)], String)] = [
      ([("c", .tensor(one))], "\"c\""), ([(nil, .named(["x": one, "y": one, "z": one]))], "3 arrays"),
      ([(nil, .tensor(one)), (nil, .tensor(one)), (nil, .tensor(one))], "0 inputs left"),
      ([("a", .named(["x": one, "y": one]))], "no array \"a\""),
    ]
    for (given, word) in cases {
      let error = #expect(throws: FormatError.self) { try TensorInput.assign(given, to: inputs) }
      #expect(error?.kind == .mismatch)
      #expect(error?.message.contains(word) == true)
    }
  }

  @Test func contentDecidesNotTheName() throws {
    let folder = try TemporaryFolder()
    let array = try folder.write(try NpyFile.bytes(of: one), to: "x.csv")
    let table = try folder.write("1,2\n", to: "x.npy")
    guard case .tensor(let tensor) = try TensorInput.read(array), case .table(let rows) = try TensorInput.read(table)
    else {
      Issue.record("a file was taken for what its name says")
      return
    }
    #expect(tensor.shape == [1, 2])
    #expect(rows.columnCount == 2)
    for (bytes, kind) in [([0, 1, 2], .unrecognized), ([], .malformed)] as [([UInt8], FormatError.Kind)] {
      let path = try folder.write(bytes, to: "bad")
      let error = #expect(throws: FormatError.self) { try TensorInput.read(path) }
      #expect(error?.kind == kind)
      #expect(error?.file == path)
    }
    #expect(throws: FormatError.self) { try TensorInput.read(folder.file("none")) }
  }

  @Test func labelsAndClasses() throws {
    let folder = try TemporaryFolder()
    #expect(try LabelFile.read(folder.write("cat\ndog\r\nbig bird\n\n", to: "l")) == ["cat", "dog", "big bird"])
    #expect(throws: FormatError.self) { try LabelFile.read(folder.write("\n", to: "l")) }
    #expect(try LabelFile.indices(folder.write("class\n1\n0\n", to: "t")) == [1, 0])
    #expect(try LabelFile.indices(folder.write(NpyFile.bytes(of: Tensor([2, 1] as [UInt8])), to: "t")) == [2, 1])
    #expect(throws: FormatError.self) { try LabelFile.indices(folder.write("1.5\n", to: "t")) }
    #expect(throws: FormatError.self) { try LabelFile.indices(folder.write("1,2\n", to: "t")) }
    #expect(throws: FormatError.self) { try LabelFile.indices(folder.write("nan\n", to: "t")) }
  }

  @Test func comparisonMeasuresTheLargestDifference() throws {
    func compare(_ left: [Double], _ right: [Double]) throws -> TensorComparison {
      try TensorComparison(Tensor(left), expected: Tensor(right))
    }
    #expect(try compare([1, 2], [1, 4]).maximumDifference == 2)
    #expect(try compare([1, 2], [1, 4]).relativeDifference == 0.5)
    #expect(try compare([.nan, .infinity], [.nan, .infinity]).maximumDifference == 0)
    #expect(try compare([.nan], [1]).maximumDifference == .infinity)
    #expect(try compare([.infinity], [-.infinity]).maximumDifference == .infinity)
    #expect(try compare([1], [.infinity]).relativeDifference == .infinity)
    #expect(try compare([0.5], [0]).relativeDifference == 0.5)
    #expect(throws: FormatError.self) { try TensorComparison(one, expected: one.reshaped(to: [2])) }
  }

  @Test func expectedArraysAreFoundByNameNumberOrOrder() throws {
    let results = [(name: "p", tensor: one), (name: "q", tensor: two)]
    let archives: [OrderedDictionary<String, Tensor>] = [
      ["q": two, "p": one], ["x": two, "y1": two, "y0": one], ["first": one, "second": two],
    ]
    for archive in archives {
      for pair in try TensorComparison.pairs(results, expected: .named(archive)) {
        #expect(try TensorComparison(pair.actual, expected: pair.expected).maximumDifference == 0)
      }
    }
    #expect(throws: FormatError.self) { try TensorComparison.pairs(results, expected: .tensor(one)) }
  }
}
