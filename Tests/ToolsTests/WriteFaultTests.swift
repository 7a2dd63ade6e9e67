import Foundation
import NNFormat
import TestSupport
import Testing

/// What every verb leaves of a file that it could not replace: all of it, and nothing beside it.
@Suite struct WriteFaultTests {
  private static let old = Array("old".utf8)

  /// Runs all verbs against a fault: status 2, one line, and the old file as it was.
  ///
  /// - Parameter launcher: what the program is started through; it meets the fault.
  private func expectOldFiles(
    in path: String, word: String, launcher: [String] = [], largeOnly: Bool = false,
    setUp: (String) throws -> Void = { try Data(Self.old).write(to: URL(fileURLWithPath: $0)) },
    tearDown: (String) throws -> Void = { try FileManager.default.removeItem(atPath: $0) }
  ) throws {
    let inputs = try TemporaryFolder()
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: inputs.path)
    for verb in try WritingVerb.all(inputs) where verb.isLarge || !largeOnly {
      let target = "\(path)/\(verb.output)"
      try setUp(target)
      let before = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
      let result = try Tool.run(verb.arguments("\(path)/"), launcher: launcher)
      #expect(result.status == 2, "\(verb): \(result.status) \(result.error)")
      #expect(result.errorLines.count == 1 && result.error.contains(word), "\(verb): \(result.error)")
      #expect(try TemporaryFolder.bytes(of: target) == Self.old, "\(verb)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == before, "\(verb)")
      try tearDown(target)
    }
  }

  /// As `ulimit -f` does it, with a signal that by itself would end the program.
  @Test func filesThatMayNotGrow() throws {
    let folder = try TemporaryFolder()
    try expectOldFiles(
      in: folder.path, word: "File too large",
      launcher: ["/bin/sh", "-c", #"ulimit -f 8; exec "$0" "$@""#], largeOnly: true)
  }

  /// A file system of one page, which the old file takes.
  @Test(.enabled(if: SmallFileSystem.canBeMounted, "mounting takes root")) func aFullDisk() throws {
    let disk = try SmallFileSystem(byteCount: 4096)
    try expectOldFiles(in: disk.path, word: "No space left on device")
  }

  @Test(.enabled(if: SmallFileSystem.canBeMounted, "mounting takes root")) func aDiskThatIsReadOnly() throws {
    let disk = try SmallFileSystem(byteCount: 1 << 20)
    try expectOldFiles(in: disk.path, word: "Read-only file system") {
      try disk.mount(isWritable: true)
      try Data(Self.old).write(to: URL(fileURLWithPath: $0))
      try disk.mount(isWritable: false)
    } tearDown: { _ in
    }
  }

  /// Starts a program as somebody who may not write everywhere, as root may.
  private static let withoutPrivileges =
    getuid() == 0 ? ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
  private static let canDropPrivileges =
    (try? Tool.run(["--version"], launcher: withoutPrivileges))?.status == 0

  @Test(.enabled(if: canDropPrivileges, "nobody cannot run the program")) func aFolderWithoutPermission() throws {
    let folder = try TemporaryFolder()
    func allow(_ mode: Int) throws {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder.path)
    }
    try expectOldFiles(in: folder.path, word: "Permission denied", launcher: Self.withoutPrivileges) {
      try allow(0o755)
      try Data(Self.old).write(to: URL(fileURLWithPath: $0))
      try allow(0o555)
    } tearDown: {
      try allow(0o755)
      try FileManager.default.removeItem(atPath: $0)
    }
  }

  @Test func targetsThatAreFoldersOrInNone() throws {
    let inputs = try TemporaryFolder()
    let folder = try TemporaryFolder()
    for verb in try WritingVerb.all(inputs) {
      let target = folder.file(verb.output)
      try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
      let result = try Tool.run(verb.arguments("\(folder.path)/"))
      #expect(result.status == 2 && result.errorLines.count == 1, "\(verb): \(result.error)")
      #expect(result.error.contains("a folder"), "\(verb): \(result.error)")
      #expect(try folder.names == [verb.output], "\(verb)")
      try FileManager.default.removeItem(atPath: target)
      // A folder for several outputs is made.
      guard verb.output != "output_0.pb" else { continue }
      let lost = try Tool.run(verb.arguments(folder.file("absent/")))
      #expect(lost.status == 2 && lost.error.contains("No such file"), "\(verb): \(lost.error)")
      #expect(try folder.names.isEmpty, "\(verb)")
    }
  }

  @Test func linksToTheSource() throws {
    let folder = try TemporaryFolder()
    let source = folder.file("a.h5")
    try FileManager.default.copyItem(atPath: Fixtures.model("digits.h5"), toPath: source)
    try FileManager.default.createSymbolicLink(atPath: folder.file("soft.h5"), withDestinationPath: "a.h5")
    #expect(try Tool.run(["convert", source, folder.file("soft.h5")]).status == 0)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("soft.h5")) == "a.h5")
    #expect(try Tool.run(["diff", source, Fixtures.model("digits.h5")]).status == 0)
    // Another name of the same file is replaced; the file stays under its first name.
    let original = try TemporaryFolder.bytes(of: source)
    try FileManager.default.linkItem(atPath: source, toPath: folder.file("hard.keras"))
    #expect(try Tool.run(["convert", source, folder.file("hard.keras")]).status == 0)
    #expect(try TemporaryFolder.bytes(of: source) == original)
    #expect(try TemporaryFolder.bytes(of: folder.file("hard.keras")) != original)
    #expect(try folder.names == ["a.h5", "hard.keras", "soft.h5"])
    // A link to nothing is filled.
    try FileManager.default.createSymbolicLink(atPath: folder.file("far.onnx"), withDestinationPath: "new.onnx")
    #expect(try Tool.run(["convert", source, folder.file("far.onnx")]).status == 0)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("far.onnx")) == "new.onnx")
    #expect(try folder.names == ["a.h5", "far.onnx", "hard.keras", "new.onnx", "soft.h5"])
  }

  /// Two programs write one file: it is that of one of them.
  @Test func writersAtTheSameTime() throws {
    let folder = try TemporaryFolder()
    let target = folder.file("out.onnx")
    let sources = ["digits.keras", "small.h5"].map(Fixtures.model)
    let whole = try sources.map { (source) throws -> [UInt8] in
      let result = try Tool.run(["convert", source, target])
      #expect(result.status == 0)
      return try TemporaryFolder.bytes(of: target)
    }
    for _ in 0..<10 {
      let processes = try sources.map { try Self.start(["convert", $0, target]) }
      for process in processes {
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
      }
      #expect(whole.contains(try TemporaryFolder.bytes(of: target)))
      #expect(try folder.names == ["out.onnx"])
    }
  }

  /// A program that is killed at any moment leaves the old file or the new one, and, for a model with its data beside it,
  /// always a pair that belongs together.
  @Test(arguments: ["out.h5", "out.keras", "out.onnx", "external"]) func writersThatAreKilled(_ kind: String) throws {
    let folder = try TemporaryFolder()
    let models = try ["0", "1"].map { (seed) throws -> String in
      let path = folder.file("\(seed).keras")
      let layers = "dense 600 relu, dense 10 softmax"
      let result = try Tool.run(["create", path, "--input", "500", "--layers", layers, "--seed", seed])
      #expect(result.status == 0)
      return path
    }
    let inner = try TemporaryFolder()
    let name = kind == "external" ? "out.onnx" : kind
    let (target, options) = (inner.file(name), kind == "external" ? ["--external-data"] : [])
    func contents() throws -> [[UInt8]] {
      guard kind == "external" else { return [try TemporaryFolder.bytes(of: target)] }
      guard case .onnx(let model) = try ModelFile.read(target).content else { return [] }
      return try model.graph.initializers.map { try $0.tensor.denseBytes }
    }
    var duration = 0.0
    let wholes = try models.reversed().map { (model) throws -> [[UInt8]] in
      let start = Date()
      let result = try Tool.run(["convert", model, target] + options)
      #expect(result.status == 0)
      duration = Date().timeIntervalSince(start)
      return try contents()
    }
    #expect(wholes[0] != wholes[1])
    var numbers = SeededNumbers(UInt64(kind.utf8.count))
    for round in 0..<24 {
      let process = try Self.start(["convert", models[round % 2], target] + options)
      Thread.sleep(forTimeInterval: duration * Double(numbers.below(1000)) / 1000)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(wholes.contains(try contents()), "round \(round)")
      // The only names that can stay are those of HDF5 files in the making, and of a pair on its way.
      for other in try inner.names where other != name && other != name + ".data" {
        #expect(kind == "out.onnx" ? other.contains(".\(process.processIdentifier)-") : other.hasPrefix(name + "."))
        if !other.hasPrefix(name + ".data.") { try FileManager.default.removeItem(atPath: inner.file(other)) }
      }
    }
    #expect(try Tool.run(["convert", models[0], target] + options).status == 0)
    #expect(try contents() == wholes[1])
  }

  private static func start(_ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Tool.path)
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }
}

/// A file system in memory of a limited size, unmounted with the value.
private final class SmallFileSystem {
  private let folder: TemporaryFolder
  private let byteCount: Int
  var path: String { folder.path }

  /// Whether this process may mount one.
  static let canBeMounted: Bool = getuid() == 0 && (try? SmallFileSystem(byteCount: 4096)) != nil

  init(byteCount: Int) throws {
    folder = try TemporaryFolder()
    self.byteCount = byteCount
    try Self.run(["mount", "-t", "tmpfs", "-o", "size=\(byteCount)", "tmpfs", folder.path])
  }

  func mount(isWritable: Bool) throws {
    try Self.run(["mount", "-o", "remount,\(isWritable ? "rw" : "ro"),size=\(byteCount)", folder.path])
  }

  deinit { try? Self.run(["umount", folder.path]) }

  private static func run(_ command: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    if process.terminationStatus != 0 { throw CocoaError(.fileWriteUnknown) }
  }
}
