import NNFormat
import TestSupport
import Testing

/// Every bound of `ReadLimits`: a file just inside of it is read, the same file just outside is refused.
@Suite struct ReadLimitTests {
  private func refusal(
    _ path: String, _ limit: WritableKeyPath<ReadLimits, Int>, _ value: Int,
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> FormatError? {
    var limits = ReadLimits()
    limits[keyPath: limit] = value
    let error = #expect(throws: FormatError.self, sourceLocation: sourceLocation) {
      try ModelFile.read(path, limits: limits)
    }
    #expect(error?.kind == .limit, "\(error as Any)", sourceLocation: sourceLocation)
    return error
  }

  private func reads(_ path: String, _ limit: WritableKeyPath<ReadLimits, Int>, _ value: Int) throws {
    var limits = ReadLimits()
    limits[keyPath: limit] = value
    _ = try ModelFile.read(path, limits: limits)
  }

  @Test(arguments: ["small.h5", "small.keras"]) func depthAndNumberOfObjects(_ name: String) throws {
    let path = Fixtures.model(name)
    #expect(refusal(path, \.depth, 2) != nil)
    #expect(refusal(path, \.objectCount, 2) != nil)
    try reads(path, \.depth, 20)
    try reads(path, \.objectCount, 40)
  }

  /// No bound lets a file take more stack than there is.
  @Test func depthHasABound() throws {
    var limits = ReadLimits()
    limits.depth = 1 << 40
    #expect(limits.depth == ReadLimits.deepest)
    let folder = try TemporaryFolder()
    let json = try folder.write([UInt8](repeating: UInt8(ascii: "["), count: 1 << 20), to: "config.json")
    #expect(throws: FormatError.self) { try ModelFile.read(json, limits: limits) }
    let levels = ReadLimits.deepest - 8
    let nested = String(repeating: "{\"a\":[", count: levels / 2) + "1" + String(repeating: "]}", count: levels / 2)
    _ = try JSONValue.parse(nested, maximumDepth: limits.depth)
  }

  @Test func attributes() throws {
    #expect(refusal(Fixtures.model("small.h5"), \.attributeBytes, 4)?.place?.contains("@") == true)
    try reads(Fixtures.model("small.h5"), \.attributeBytes, 4096)
  }

  @Test(arguments: ["small.h5", "small.keras"]) func documents(_ name: String) throws {
    #expect(refusal(Fixtures.model(name), \.jsonBytes, 100)?.message.contains("JSON of") == true)
    try reads(Fixtures.model(name), \.jsonBytes, 10000)
  }

  @Test(arguments: ["small.h5", "small.keras"]) func valuesOfDocuments(_ name: String) throws {
    #expect(refusal(Fixtures.model(name), \.jsonValues, 10)?.message.contains("more than 10 values") == true)
    try reads(Fixtures.model(name), \.jsonValues, 10000)
    for (text, count) in [("[]", 1), ("[1, 2]", 3), ("{\"a\": [null], \"b\": {}}", 4)] {
      #expect(throws: Never.self) { try JSONValue.parse(text, maximumCount: count) }
      #expect(throws: FormatError.self) { try JSONValue.parse(text, maximumCount: count - 1) }
    }
  }

  @Test func axes() throws {
    let folder = try TemporaryFolder()
    let tensor = Tensor([Float(1)], shape: [1, 1, 1])
    let (arrays, safetensors) = (folder.file("a.npz"), folder.file("a.safetensors"))
    try NpzFile.write([(name: "a", tensor: tensor)], to: arrays)
    try SafetensorsFile.write(SafetensorsFile.Content(tensors: ["a": tensor]), to: safetensors)
    let onnx = folder.file("a.onnx")
    var graph = Graph(name: "g", inputs: [], outputs: [], nodes: [])
    graph.initializers = [Initializer(name: "a", tensor: tensor)]
    try ONNXFile.write(Model(graph: graph, operatorSets: [OperatorSetImport(version: 17)], irVersion: 8), to: onnx)
    for path in [arrays, safetensors, onnx] {
      #expect(refusal(path, \.rank, 2) != nil)
      try reads(path, \.rank, 3)
    }
  }

  @Test func expansion() throws {
    // The weights of this archive are compressed.
    let path = Fixtures.model("deflated.keras")
    #expect(refusal(path, \.memberBytes, 1000)?.message.contains("expands") == true)
    var limits = ReadLimits()
    (limits.freelyExpandedBytes, limits.expansionRatio) = (1, 1)
    let error = #expect(throws: FormatError.self) { try ModelFile.read(path, limits: limits) }
    #expect(error?.kind == .limit)
    limits.expansionRatio = 100
    _ = try ModelFile.read(path, limits: limits)
  }

  /// Many parts of a file may not decode to what one of them may not.
  @Test func partsShareTheirExpansion() throws {
    var limits = ReadLimits()
    (limits.freelyExpandedBytes, limits.expansionRatio) = (100, 2)
    let small = ExpansionBudget(fileByteCount: 10)
    try small.grant(60, to: "a", limits)
    try small.grant(60, to: "a", limits)
    let error = #expect(throws: FormatError.self) { try small.grant(60, to: "b", limits) }
    #expect(error?.kind == .limit && error?.place == "b")
    try small.grant(40, to: "c", limits)
    #expect(throws: FormatError.self) { try small.grant(.max, to: "d", limits) }
    let large = ExpansionBudget(fileByteCount: 100)
    try large.grant(60, to: "a", limits)
    try large.grant(140, to: "b", limits)
    #expect(throws: FormatError.self) { try large.grant(1, to: "c", limits) }
  }

  @Test func membersShareTheirExpansion() throws {
    let path = Fixtures.model("deflated.keras")
    let members = try ZipArchive(ByteRegion(MappedFile(path: path))).members.values.filter { !$0.isStored }
    let largest = try #require(members.map(\.byteCount).max())
    var limits = ReadLimits()
    (limits.freelyExpandedBytes, limits.expansionRatio) = (largest, 0)
    let archive = try ZipArchive(ByteRegion(MappedFile(path: path)), limits: limits)
    for member in members { _ = try ZipArchive(ByteRegion(MappedFile(path: path)), limits: limits).region(member.name) }
    #expect(throws: FormatError.self) { for member in members { _ = try archive.region(member.name) } }
  }

  @Test func memoryThatThereIsNot() {
    for count in [Int.max, Int.max - 64, 1 << 60, -1] {
      let error = #expect(throws: FormatError.self) { try unsafe AlignedBytes(count: count) { _ in } }
      #expect(error?.kind == .limit)
    }
    #expect(throws: Never.self) { try unsafe AlignedBytes(count: 0) { _ in } }
  }

  @Test func everyNameSetsOneLimit() {
    var limits = ReadLimits()
    for (index, (_, path)) in ReadLimits.named.enumerated() { limits[keyPath: path] = index + 1 }
    #expect(ReadLimits.named.map { limits[keyPath: $0.path] } == Array(1...ReadLimits.named.count))
  }
}
