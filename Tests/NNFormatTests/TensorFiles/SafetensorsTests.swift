import NNFormat
import Testing

@Suite struct SafetensorsTests {
  private func read(_ header: String, _ elements: [UInt8]) throws(FormatError) -> SafetensorsFile.Content {
    let text = Array(header.utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return try SafetensorsFile.read(ByteRegion(AlignedBytes(copying: length + text + elements), name: "x.safetensors"))
  }

  private static let entry = #"{"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}"#

  @Test func oneEntryForEachName() throws {
    let content = try read(#"{"__metadata__": {"a": "1", "b": "2"}, "w": \#(Self.entry)}"#, [7, 8])
    #expect(content.tensors.keys.elementsEqual(["w"]) && content.metadata.keys.elementsEqual(["a", "b"]))
    for (key, header) in [
      ("w", #"{"w": \#(Self.entry), "w": \#(Self.entry)}"#),
      ("a", #"{"__metadata__": {"a": "1", "a": "2"}, "w": \#(Self.entry)}"#),
      ("shape", #"{"w": {"dtype": "U8", "shape": [9], "shape": [2], "data_offsets": [0, 2]}}"#),
    ] {
      let error = #expect(throws: FormatError.self) { try read(header, [7, 8]) }
      #expect(error?.kind == .malformed && error?.place == key, "\(String(describing: error))")
    }
  }
}
