import NNFormat
import TestSupport
import Testing

@Suite struct JSONParserTests {
  @Test func keysKeepTheirOrderAndNumbersTheirText() throws {
    let value = try JSONValue.parse(#"{"z": 1.50, "a": -0, "m": 1E+05, "b": 12345678901234567890, "a2": 0.1e-7}"#)
    let members = try #require(value.object)
    #expect(Array(members.keys) == ["z", "a", "m", "b", "a2"])
    #expect(members.values.map { $0.text() } == ["1.50", "-0", "1E+05", "12345678901234567890", "0.1e-7"])
  }

  @Test func aRepeatedKeyKeepsItsPlaceAndTakesTheLastValue() throws {
    #expect(try JSONValue.parse(#"{"a": 1, "b": 2, "a": 3}"#).text() == #"{"a": 3, "b": 2}"#)
  }

  @Test(arguments: [
    (#"{"class_name": "Sequential", "config": {"name": "s", "layers": [], "a": [{"c": 1}, {"c": 2}]}}"#, [String]()),
    (#"{"class_name": "Lambda", "class_name": "Sequential", "config": {"layers": []}}"#, ["class_name"]),
    (#"{"class_name": "Sequential", "config": {"layers": [], "a": [{"x": 1, "y": 2, "\u0078": 1}]}}"#, ["x"]),
  ]) func aRepeatedKeyOfAModelIsAFinding(_ text: String, keys: [String]) throws {
    let folder = try TemporaryFolder()
    guard case .keras(let model) = try ModelFile.read(folder.write(text, to: "config.json")).content else { return }
    let found = model.findings.filter { $0.code == "duplicate-key" }
    #expect(found.count == keys.count && found.allSatisfy { $0.severity == .error })
    for (finding, key) in zip(found, keys) { #expect(finding.message.contains("\"\(key)\"")) }
  }

  @Test func pythonsSpecialNumbers() throws {
    let values = try JSONValue.parse("[NaN, Infinity, -Infinity]")
    #expect(values[0]?.double?.isNaN == true)
    #expect(values[1]?.double == .infinity)
    #expect(values[2]?.double == -.infinity)
    #expect(values.text() == "[NaN, Infinity, -Infinity]")
    #expect(values[1]?.int == nil)
  }

  @Test(arguments: [
    ("7", 7), ("-7", -7), ("2.0", 2), ("1e3", 1000), ("2.5", nil), ("1e300", nil), ("9223372036854775808", nil),
    ("9223372036854775807", Int.max), ("true", nil), ("\"7\"", nil), ("1e400", nil),
  ]) func wholeNumbers(_ text: String, expected: Int?) throws {
    #expect(try JSONValue.parse(text).int == expected)
  }

  @Test(arguments: [
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e4\u20AC""#, "ä€"), (#""\ud83d\ude00""#, "😀"),
    (#""\ud83d""#, "\u{FFFD}"), (#""\ude00x""#, "\u{FFFD}x"), (#""\ud83d\u0041""#, "\u{FFFD}A"),
    (#""e\u0301""#, "e\u{301}"),
    (#""\ud83d\n""#, "\u{FFFD}\n"), (#""\u0000""#, "\u{0}"), ("\"ä€😀\"", "ä€😀"), ("\"\"", ""),
  ]) func escapes(_ text: String, expected: String) throws {
    let parsed = try #require(try JSONValue.parse(text).string)
    #expect(Array(parsed.unicodeScalars) == Array(expected.unicodeScalars))
  }

  @Test func spaceAndByteOrderMarkAreSkipped() throws {
    #expect(try JSONValue.parse([0xEF, 0xBB, 0xBF] + Array(" \t\r\n[ 1 , 2 ]\n".utf8)).ints == [1, 2])
  }

  /// Every kind of mistake, with the byte at which it shows.
  @Test(arguments: [
    ("", 0, "ends"), ("  ", 2, "ends"), ("[1", 2, "comma"), ("[1,", 3, "ends"), ("[1 2]", 3, "comma"), ("{", 1, "key"),
    ("{\"a\"", 4, "colon"), ("{\"a\" 1}", 5, "colon"), ("{\"a\":1", 6, "comma"), ("{\"a\":1,}", 7, "key"),
    ("{a:1}", 1, "key"), ("[1,]", 3, "value"), ("tru", 0, "value"), ("nul", 0, "value"), ("Nan", 0, "value"),
    ("-", 1, "digit"), ("1.", 2, "digit"), ("1.e5", 2, "digit"), ("1e", 2, "digit"), (".5", 0, "value"),
    ("+1", 0, "value"), ("1 2", 2, "after"), ("\"abc", 4, "string"), ("\"\\", 2, "string"), ("\"\\x\"", 3, "escape"),
    ("\"\\u12\"", 3, "hexadecimal"), ("\"\\u+123\"", 3, "hexadecimal"), ("\"\\u-123\"", 3, "hexadecimal"),
    ("'a'", 0, "value"), ("{} x", 3, "after"), ("[-Inf]", 2, "digit"), ("01", 1, "after"), ("-01", 2, "after"),
  ]) func mistakesHaveAPlace(_ text: String, offset: Int, word: String) {
    let error = #expect(throws: FormatError.self) { try JSONValue.parse(text) }
    #expect(error?.kind == .malformed)
    #expect(error?.place == "byte \(offset)")
    #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
  }

  @Test(arguments: ["[", "{\"a\":"]) func depthIsBounded(_ opening: String) throws {
    func nested(_ levels: Int) -> String {
      let closing = opening == "[" ? "]" : "}"
      return String(repeating: opening, count: levels) + "1" + String(repeating: closing, count: levels)
    }
    _ = try JSONValue.parse(nested(20), maximumDepth: 20)
    let error = #expect(throws: FormatError.self) { try JSONValue.parse(nested(21), maximumDepth: 20) }
    #expect(error?.kind == .limit)
    #expect(throws: FormatError.self) {
      try JSONValue.parse(String(repeating: opening, count: 1_000_000))
    }
  }

  @Test func accessorsAnswerOnlyForTheirKind() throws {
    let value = try JSONValue.parse(
      #"{"list": [1, 2], "names": ["a", "b"], "mixed": [1, "a"], "none": null, "on": true}"#)
    #expect(value["list"]?.ints == [1, 2])
    #expect(value["names"]?.strings == ["a", "b"])
    #expect(value["mixed"]?.ints == nil)
    #expect(value["mixed"]?.strings == nil)
    #expect(value["none"]?.isNull == true)
    #expect(value["on"]?.bool == true)
    #expect(value["absent"] == nil)
    #expect(value["list"]?[2] == nil)
    #expect(value["list"]?[-1] == nil)
    #expect(value["list"]?["key"] == nil)
  }
}
