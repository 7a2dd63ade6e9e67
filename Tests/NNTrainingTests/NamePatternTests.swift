import NNTraining
import Testing

@Suite struct NamePatternTests {
  @Test(arguments: [
    ("dense", "dense", true), ("dense", "dense_1", false), ("dense*", "dense_1", true), ("*", "", true),
    ("*_1", "dense_1", true), ("a*b*c", "axxbyyc", true), ("a*b*c", "axxcyyb", false), ("ab*ba", "aba", false),
  ])
  func matches(_ pattern: String, _ name: String, _ expected: Bool) {
    #expect(NamePattern(pattern).matches(name) == expected)
  }
}
