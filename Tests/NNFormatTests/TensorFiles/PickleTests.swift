import NNFormat
import TestSupport
import Testing

/// Writes the pickle that NumPy makes of a dictionary of arrays, by hand.
private struct Pickle {
  var bytes: [UInt8] = [0x80, 4]

  mutating func text(_ text: String) { bytes += [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) }
  mutating func global(_ module: String, _ name: String) { bytes += Array("c\(module)\n\(name)\n".utf8) }
  mutating func bytes(_ content: [UInt8]) { bytes += [UInt8(ascii: "C"), UInt8(content.count)] + content }

  /// `numpy.dtype(descriptor)` with its byte order.
  mutating func type(_ descriptor: String, order: String) {
    global("numpy", "dtype")
    text(descriptor)
    bytes += [0x89, 0x88, 0x87, UInt8(ascii: "R"), UInt8(ascii: "("), UInt8(ascii: "K"), 3]
    text(order)
    bytes += [UInt8(ascii: "N"), UInt8(ascii: "t"), UInt8(ascii: "b")]
  }

  /// An array; its elements are what `content` pushes.
  mutating func array(_ shape: [UInt8], type descriptor: String, order: String = "<", content: (inout Pickle) -> Void) {
    global("numpy.core.multiarray", "_reconstruct")
    bytes += [
      UInt8(ascii: "("), UInt8(ascii: "N"), UInt8(ascii: "t"), UInt8(ascii: "R"), UInt8(ascii: "("), UInt8(ascii: "K"),
      1,
    ]
    bytes += [UInt8(ascii: "(")] + shape.flatMap { [UInt8(ascii: "K"), $0] } + [UInt8(ascii: "t")]
    type(descriptor, order: order)
    bytes.append(0x89)
    content(&self)
    bytes += [UInt8(ascii: "t"), UInt8(ascii: "b")]
  }

  /// An object array of one dictionary with one key.
  static func dictionary(_ value: (inout Pickle) -> Void) -> [UInt8] {
    var pickle = Pickle()
    pickle.array([], type: "O8", order: "|") { list in
      list.bytes += [UInt8(ascii: "]"), UInt8(ascii: "}")]
      list.text("0")
      value(&list)
      list.bytes += [UInt8(ascii: "s"), UInt8(ascii: "a")]
    }
    return pickle.bytes + [UInt8(ascii: ".")]
  }
}

@Suite struct PickleTests {
  private let plain = Pickle.dictionary { $0.array([2], type: "i2") { $0.bytes([1, 0, 2, 0]) } }

  private func expectRefusal(_ bytes: [UInt8], _ word: String) {
    let error = #expect(throws: FormatError.self) { try PickledArrays.dictionary(bytes, name: "w") }
    #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
  }

  @Test func arraysAreTakenOut() throws {
    let arrays = try PickledArrays.dictionary(plain, name: "w")
    #expect(Array(arrays.keys) == ["0"])
    #expect(arrays["0"]?.shape == [2])
    #expect(try arrays["0"]?.elements(as: Int16.self) == [1, 2])
    let big = Pickle.dictionary { $0.array([1, 2], type: "u2", order: ">") { $0.bytes([1, 0, 2, 0]) } }
    #expect(try PickledArrays.dictionary(big, name: "w")["0"]?.elements(as: UInt16.self) == [256, 512])
  }

  /// What an attack would call is only an unknown name around no array.
  @Test(arguments: ["os\nsystem", "builtins\neval", "subprocess\nPopen", "posix\nsystem"])
  func callsAreNeverMade(_ name: String) {
    let hostile = Pickle.dictionary { pickle in
      pickle.bytes += Array("c\(name)\n".utf8) + [UInt8(ascii: "(")]
      pickle.text("touch /tmp/never")
      pickle.bytes += Array("tR".utf8)
    }
    expectRefusal(hostile, "0 arrays")
    expectRefusal(Array("cos\nsystem\n(S'echo'\ntR.".utf8), "instruction")
  }

  @Test func wrappedArraysAreFoundAtAnyDepth() throws {
    let wrapped = Pickle.dictionary { pickle in
      pickle.array([1], type: "i1", order: "|") { $0.bytes([5]) }
      pickle.bytes += [UInt8](repeating: 0x85, count: 200_000)
    }
    #expect(try PickledArrays.dictionary(wrapped, name: "w")["0"]?.elements(as: Int8.self) == [5])
    let deep = Pickle.dictionary { $0.bytes += [UInt8(ascii: ")")] + [UInt8](repeating: 0x85, count: 1_000_000) }
    expectRefusal(deep, "0 arrays")
  }

  @Test func aValueThatContainsItselfEnds() {
    // A list, remembered, appended to itself.
    let circle = Pickle.dictionary { $0.bytes += [UInt8(ascii: "]"), 0x94, UInt8(ascii: "h"), 0, UInt8(ascii: "a")] }
    expectRefusal(circle, "0 arrays")
  }

  @Test func manyAppendedElementsTakeLittleTime() {
    let long = Pickle.dictionary { pickle in
      pickle.bytes.append(UInt8(ascii: "]"))
      for _ in 0..<200_000 { pickle.bytes += [UInt8(ascii: "N"), UInt8(ascii: "a")] }
    }
    expectRefusal(long, "0 arrays")
  }

  @Test func arraysThatLieAreRefused() {
    expectRefusal(Pickle.dictionary { $0.array([3], type: "i2") { $0.bytes([1, 0]) } }, "needs 6 bytes")
    expectRefusal(Pickle.dictionary { $0.array([2], type: "O8") { $0.bytes([1, 0]) } }, "objects")
    expectRefusal(Pickle.dictionary { $0.array([1], type: "q9") { $0.bytes([1]) } }, "type")
    expectRefusal(
      Pickle.dictionary { $0.array([1], type: "i2") { $0.bytes.append(UInt8(ascii: "N")) } }, "not an array")
    expectRefusal(Pickle.dictionary { $0.bytes.append(UInt8(ascii: "N")) }, "0 arrays")
  }

  @Test func truncationIsATypedError() {
    for count in plain.indices {
      #expect(throws: FormatError.self) { try PickledArrays.dictionary(Array(plain[..<count]), name: "w") }
    }
  }

  @Test func damageIsATypedErrorOrAnotherArray() {
    var numbers = SeededNumbers(3)
    var refused = 0
    for _ in 0..<5000 {
      var bytes = plain
      for _ in 0...numbers.below(3) { bytes[numbers.below(bytes.count)] = UInt8(numbers.below(256)) }
      do throws(FormatError) { _ = try PickledArrays.dictionary(bytes, name: "w") } catch { refused += 1 }
    }
    #expect(refused > 1000)
  }
}
