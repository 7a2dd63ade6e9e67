import Foundation
import NNFormat
import TestSupport
import Testing

/// A row of `fixtures/attacks/attacks.json`: a file that tries to do harm, and what is to become of it.
struct Attack: Sendable, CustomStringConvertible {
  let file: String
  /// Findings that `inspect` or `check` has to report.
  let codes: [String]
  /// A word of the one error line, where the file is refused as a whole.
  let error: String?
  /// The exit status of `check`.
  let status: Int32
  /// Links to make beside the file: name, kind, target.
  let links: [(name: String, isHard: Bool, target: String)]

  var description: String { file }

  init?(_ json: JSONValue) {
    guard let file = json["file"]?.string else { return nil }
    self.file = file
    codes = json["codes"]?.strings ?? []
    error = json["error"]?.string
    status = Int32(json["check"]?.int ?? 2)
    links = (json["links"]?.object ?? [:]).compactMap { name, link in
      guard let parts = link.strings, parts.count == 2 else { return nil }
      return (name, parts[0] == "hard", parts[1])
    }
  }

  static let all: [Attack] = {
    let document = try? JSONValue.parse(TemporaryFolder.bytes(of: Fixtures.path("attacks/attacks.json")))
    return (document?.array ?? []).compactMap(Attack.init)
  }()

  /// Puts the file into a folder, one level below a file that it may try to reach.
  func place(in folder: TemporaryFolder) throws -> String {
    let inner = folder.file("model")
    try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
    _ = try folder.write([UInt8](repeating: 1, count: 4096), to: "manifest.json")
    for name in [file, "attacks.json"] {
      try FileManager.default.copyItem(atPath: Fixtures.path("attacks/\(name)"), toPath: "\(inner)/\(name)")
    }
    for link in links {
      let path = "\(inner)/\(link.name)"
      if link.isHard {
        try FileManager.default.linkItem(atPath: "\(inner)/\(link.target)", toPath: path)
      } else {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: link.target)
      }
    }
    return "\(inner)/\(file)"
  }
}

/// Files that try to do harm, in the verbs that people point at strangers' files.
@Suite struct AttackTests {
  @Test func theCorpusIsThere() { #expect(Attack.all.count > 40) }

  private static func codes(_ findings: JSONValue?) -> [String] {
    (findings?.array ?? []).compactMap { $0["code"]?.string }
  }

  @Test(arguments: Attack.all) func everyAttackIsRefusedOrReported(_ attack: Attack) throws {
    let folder = try TemporaryFolder()
    let path = try attack.place(in: folder)
    let before = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    let inspection = try Tool.run(["inspect", path, "--json"])
    let check = try Tool.run(["check", path, "--json"])
    let report = try JSONValue.parse(check.output)["files"]?.array?.first?["findings"]
    if let error = attack.error {
      #expect(inspection.status == 2 && inspection.output.isEmpty && inspection.errorLines.count == 1)
      #expect(inspection.error.contains(error), "\(inspection.error)")
      #expect(check.status == 2 && check.error.contains(error), "\(check.error)")
      #expect(Self.codes(report) == ["unreadable"])
    } else {
      #expect(inspection.status == 0 && inspection.error.isEmpty, "\(inspection.error)")
      let shown = Self.codes(try JSONValue.parse(inspection.output)["findings"])
      let found = Self.codes(report)
      for code in attack.codes {
        #expect(found.contains(code), "check reports \(found), not \(code)")
        if !code.hasPrefix("index-") { #expect(shown.contains(code), "inspect reports \(shown), not \(code)") }
      }
      #expect(check.status == attack.status, "\(found)")
      #expect(try Tool.run(["check", "--strict", path]).status == 1)
    }
    // What is made of such a file holds nothing that leads out of it.
    let converted = try Tool.run(["convert", path, "\(folder.path)/model/out.keras"])
    #expect([0, 2].contains(converted.status), "\(converted.error)")
    let after = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    #expect(after.filter { $0 != "model/out.keras" } == before)
    guard converted.status == 0 else { return }
    let result = try ZipArchive(ByteRegion(MappedFile(path: "\(folder.path)/model/out.keras")))
    for member in result.members.values { #expect(!member.leadsOutside && !member.isLink, "\(member.name)") }
  }
}
