import NNFormat
import Testing

@Suite struct FormatErrorTests {
  @Test func theLineHasFileMessagePlaceAndAdvice() {
    let error = FormatError(.missing, "lacks a weight", file: "a.h5", at: "/x", advice: "Save it again")
    #expect("\(error)" == "a.h5: lacks a weight (/x). Save it again.")
    #expect("\(FormatError(.io, "is gone"))" == "is gone.")
    #expect(FormatError(.io, "is gone").inFile("b").file == "b")
    #expect(error.inFile("b").file == "a.h5")
  }

  @Test(arguments: ["\n", "\r\n", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}", "\t"])
  func namesWithLineBreaksStayOnOneLine(_ text: String) {
    let description = "\(FormatError(.io, "a\(text)b", file: "f\(text)g"))"
    #expect(!description.contains { $0.isNewline })
    #expect(description.split(separator: " ") == ["f", "g:", "a", "b."])
  }

  @Test func namesCannotSteerTheTerminal() {
    #expect("\(FormatError(.io, "a\u{1b}[2Jb\u{7}\u{9b}0m"))" == "a\\u{1b}[2Jb\\u{7}\\u{9b}0m.")
    #expect("dense\u{202e}esned \u{2066}x\u{200f}".onOneLine == "dense\\u{202e}esned \\u{2066}x\\u{200f}")
    #expect("ä😀 e\u{301}".onOneLine == "ä😀 e\u{301}")
  }
}
