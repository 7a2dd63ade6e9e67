import NNFormat
import TestSupport
import Testing

/// `nnfmt diff` as its users run it.
@Suite struct DiffTests {
  @Test func layoutsOfOneModelAreEqual() throws {
    let result = try Tool.run(["diff", Fixtures.model("digits.h5"), Fixtures.model("digits.keras")])
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("no difference"))
    #expect(result.error.contains("note: layout"))
    let quiet = try Tool.run(["diff", "--quiet", Fixtures.model("digits.h5"), Fixtures.model("digits.keras")])
    #expect(quiet.error.isEmpty)
  }

  @Test func differencesAreATable() throws {
    let result = try Tool.run(["diff", Fixtures.model("digits.h5"), Fixtures.model("digits_tf_keras.h5")])
    #expect(result.status == 1)
    #expect(result.output.contains("hidden/kernel"))
    #expect(result.output.contains("differences"))
  }

  @Test func printsJSON() throws {
    let result = try Tool.run(["diff", Fixtures.model("digits.h5"), Fixtures.model("small.h5"), "--json"])
    let json = try JSONValue.parse(result.output)
    #expect(result.status == 1)
    #expect(json.object?.keys.first == "schema" && json["schema"]?.string == "nnfmt.diff/1")
    #expect(json["equal"]?.bool == false)
    #expect(json["differences"]?.array?.isEmpty == false)
  }

  @Test(arguments: ["truncated.h5", "text.h5", "absent.h5"]) func unreadableFilesAreOneLine(_ name: String) throws {
    let result = try Tool.run(["diff", Fixtures.model("digits.h5"), Fixtures.model(name)])
    #expect(result.status == 2)
    #expect(result.errorLines.count == 1 && result.output.isEmpty)
  }

  @Test func wrongToleranceIsWrongUsage() throws {
    let result = try Tool.run(["diff", "a", "b", "--tolerance", "nan"])
    #expect(result.status == 2)
  }
}
