import NNFormat
import TestSupport
import Testing

@Suite struct HDF5AttributeTests {
  @Test(arguments: kindsFiles) func stringsOfEveryStorageKind(_ file: String) throws {
    let attributes = try kindsRoot(file).attributes
    #expect(attributes["fixed"]?.string == "fixed text")
    #expect(attributes["variable"]?.string == "variable ä€")
    #expect(attributes["space_padded"]?.string == "ab")
    #expect(attributes["fixed_list"]?.strings == ["a", "bcd", ""])
    #expect(attributes["variable_list"]?.strings == ["one", "two", ""])
    #expect(attributes["variable_list"]?.string == nil)
    #expect(attributes["names0"]?.strings == ["first", "second"])
    #expect(attributes["names1"]?.strings == ["third"])
    #expect(attributes["names1"]?.string == "third")
  }

  @Test(arguments: kindsFiles) func numbersOfEveryKind(_ file: String) throws {
    let attributes = try kindsRoot(file).attributes
    #expect(attributes["int64"]?.int == -7)
    #expect(attributes["int32_big"]?.int == 300)
    #expect(attributes["int64"]?.strings == nil)
    guard case .tensor(let float) = attributes["float"], case .tensor(let floats) = attributes["floats"],
      case .tensor(let bool) = attributes["bool"]
    else {
      Issue.record("a number is no tensor")
      return
    }
    #expect(try float.elements(as: Float.self) == [1.5])
    #expect(float.shape == [])
    #expect(try floats.elements(as: Double.self) == [1, 2, 3, 4])
    #expect(floats.shape == [2, 2])
    #expect(bool.elementType == .bool)
    #expect(try bool.elements(as: Bool.self) == [true])
  }

  @Test(arguments: kindsFiles) func anEmptyListOfNumbersIsAnEmptyListOfNames(_ file: String) throws {
    let empty = try #require(try kindsRoot(file).attributes["empty"])
    #expect(empty.strings == [])
    guard case .tensor(let tensor) = empty else {
      Issue.record("not a tensor")
      return
    }
    #expect(tensor.elementType == .float64)
    #expect(tensor.shape == [0])
  }

  @Test(arguments: kindsFiles) func whatIsNotReadIsDescribed(_ file: String) throws {
    let attributes = try kindsRoot(file).attributes
    guard case .other(let description) = attributes["compound"] else {
      Issue.record("a compound attribute was read")
      return
    }
    #expect(description == "a compound type")
    #expect(attributes["null"]?.strings == [])
  }

  @Test func splitNamesAreOneList() throws {
    guard case .keras(let split) = try ModelFile.read(Fixtures.model("dialect_split_names.h5")).content,
      case .keras(let plain) = try ModelFile.read(Fixtures.model("dialect_plain.h5")).content
    else {
      Issue.record("not Keras")
      return
    }
    let root = try HDF5Index(ByteRegion(MappedFile(path: Fixtures.model("dialect_split_names.h5")))).root
    let attributes = try #require(root.group("model_weights")).attributes
    #expect(attributes["layer_names"] == nil)
    #expect(attributes["layer_names1"]?.strings?.isEmpty == false)
    #expect(split.weightGroups.map(\.name) == plain.weightGroups.map(\.name))
    #expect(split.weights.map(\.name) == plain.weights.map(\.name))
  }

  @Test func anAttributeBeyondTheLimitIsRefused() throws {
    var limits = ReadLimits()
    limits.attributeBytes = 16
    let error = #expect(throws: FormatError.self) {
      try HDF5Index(ByteRegion(MappedFile(path: Fixtures.path("hdf5/kinds.h5"))), limits: limits)
    }
    #expect(error?.kind == .limit)
    #expect(error?.place?.contains("@") == true)
  }
}
