import NNFormat
import Testing

@Suite struct JSONWriterTests {
  /// A document and what `json.dumps(json.loads(document))` of Python 3.11 prints for it.
  private static let pythonCases: [(document: String, dumped: String)] = [
    ("{}", "{}"), ("[]", "[]"), ("[[],{}]", "[[], {}]"),
    (
      #"{"a":1,"b":[1,2.5],"c":null,"d":true,"e":false}"#, #"{"a": 1, "b": [1, 2.5], "c": null, "d": true, "e": false}"#
    ),
    (
      #""quote \" slash \/ back \\ tab \t line \n return \r""#, #""quote \" slash / back \\ tab \t line \n return \r""#
    ),
    (#""\b\f\u0000\u001f\u007f""#, #""\b\f\u0000\u001f\u007f""#), ("\"~\u{7f}\"", #""~\u007f""#),
    ("\"äöü€\"", #""\u00e4\u00f6\u00fc\u20ac""#), ("\"😀\"", #""\ud83d\ude00""#), ("\"\u{2028}\"", #""\u2028""#),
    ("\"e\u{301}\"", #""e\u0301""#), ("[NaN,Infinity,-Infinity]", "[NaN, Infinity, -Infinity]"),
    (#"{"n":{"d":[[1],[2,[3]]]}}"#, #"{"n": {"d": [[1], [2, [3]]]}}"#),
    (#"{"":"","ä":"ß"}"#, #"{"": "", "\u00e4": "\u00df"}"#),
    (#""</script>""#, #""</script>""#), (#"[1,[2,{"x":[]}]]"#, #"[1, [2, {"x": []}]]"#),
  ]

  @Test(arguments: pythonCases) func writesAsPythonDoes(_ document: String, dumped: String) throws {
    #expect(try JSONValue.parse(document).text(.python) == dumped)
  }

  @Test(arguments: pythonCases) func whatIsWrittenIsReadAsTheSame(_ document: String, dumped: String) throws {
    let value = try JSONValue.parse(document)
    #expect(try JSONValue.parse(value.text(.python)) == value)
    #expect(try JSONValue.parse(value.text(.indented)) == value)
  }

  @Test func whatSteersATerminalIsEscaped() throws {
    let value = JSONValue.string("\u{7f}\u{9b}31m\u{202e}ä\u{600}")
    #expect(value.text(.indented) == #""\u007f\u009b31m\u202eä"# + "\u{600}\"")
    #expect(try JSONValue.parse(value.text(.indented)) == value)
  }

  @Test func indentedText() throws {
    let value = try JSONValue.parse(#"{"a": {"b": [1, 2], "c": [], "d": {}}, "e": [{"f": 1}, [2]], "ä": "\u001b"}"#)
    #expect(
      value.text(.indented) == """
        {
          "a": {
            "b": [1, 2],
            "c": [],
            "d": {}
          },
          "e": [
            {
              "f": 1
            },
            [2]
          ],
          "ä": "\\u001b"
        }
        """)
  }

  @Test(arguments: [
    (1.0, "1"), (-2.5, "-2.5"), (0.1, "0.1"), (1e14, "100000000000000"), (1e300, "1e+300"), (1e-300, "1e-300"),
    (.nan, "null"), (.infinity, "null"), (-.infinity, "null"), (0, "0"),
  ]) func numbersOfReports(_ value: Double, expected: String) throws {
    #expect(JSONValue.double(value).text() == expected)
    #expect(try JSONValue.parse(JSONValue.double(value).text()) == JSONValue.double(value))
  }

  @Test func literals() {
    let value: JSONValue = ["a": [1, "two", nil, true]]
    #expect(value.text() == #"{"a": [1, "two", null, true]}"#)
  }
}
