import NNFormat
import Testing

/// Paths, whose separators are bytes: behind a slash U+0301 makes one `Character` of both, and so does U+0600 before it.
@Suite struct PathTests {
  @Test(arguments: [
    ("model.onnx", "."), ("a/b/model.onnx", "a/b"), ("/model.onnx", "/"), ("a/\u{301}model.onnx", "a"),
    ("/\u{301}model.onnx", "/"), ("a\u{600}/model.onnx", "a\u{600}"), ("a/", "a"),
  ])
  func folders(path: String, folder: String) { #expect(Path.folder(of: path) == folder) }

  @Test func names() {
    #expect(Path.name(of: "a/\u{301}m") == "\u{301}m")
    #expect(Path.parts(of: "/a//\u{301}b/\u{600}/c") == ["a", "\u{301}b", "\u{600}", "c"])
    #expect(Path.isAbsolute("/\u{301}a") && !Path.isAbsolute("a/b"))
    #expect(Path.endsWithSlash("a\u{600}/") && !Path.endsWithSlash("a/\u{301}"))
  }

  @Test(arguments: [
    "..", "../a", "a/../b", "a\\..\\b", "/a", "\\a", "C:", "c:/a", "../\u{301}a", "..\\\u{301}a", "/\u{301}a",
    "C:\u{301}/a", "\u{600}/../a",
  ])
  func leadingOutside(path: String) { #expect(Path.leadsOutside(path)) }

  @Test(arguments: ["", "a", "a/b", "..a", "a..", "a/...", ".", "\u{301}", "1:0", "kernel:0"])
  func leadingInside(path: String) { #expect(!Path.leadsOutside(path)) }

  @Test func plainNames() {
    for name in ["a", "a.h5", "\u{301}", "..."] { #expect(Path.isPlainName(name), "\(name)") }
    for name in ["", ".", "..", "a/b", "/\u{301}", "../\u{301}a", "a\0"] { #expect(!Path.isPlainName(name), "\(name)") }
  }
}
