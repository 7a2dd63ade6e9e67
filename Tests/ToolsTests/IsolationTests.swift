import Foundation
import TestSupport
import Testing

/// Files on which libhdf5 crashes or hangs, in the verbs that read files.
@Suite struct IsolationTests {
  /// A fixture with one changed byte.
  private func mutation(of name: String, at place: Int, to byte: UInt8, in folder: TemporaryFolder) throws -> String {
    var bytes = try TemporaryFolder.bytes(of: Fixtures.model(name))
    bytes[place] = byte
    return try folder.write(bytes, to: name)
  }

  /// The library never comes back from a tree that leads into itself.
  @Test func aHangIsOneLine() throws {
    let folder = try TemporaryFolder()
    let path = try mutation(of: "small.h5", at: 3880, to: 150, in: folder)
    let start = Date()
    try expectFailure(["inspect", path], [path, "libhdf5", "hung"])
    try expectFailure(["convert", path, folder.file("out.onnx")], [path, "libhdf5", "hung"])
    #expect(Date().timeIntervalSince(start) < 60)
    #expect(try folder.names == ["small.h5"])
  }

  @Test(arguments: ["small.h5", "small.keras", "dialect_float16.h5"]) func trustedFilesReadTheSame(_ name: String)
    throws
  {
    let (isolated, trusted) = (
      try Tool.run(["inspect", Fixtures.model(name), "--json", "--stats"]),
      try Tool.run(["inspect", Fixtures.model(name), "--json", "--stats", "--trusted"])
    )
    #expect(isolated.status == 0 && isolated.error.isEmpty)
    #expect(isolated.output == trusted.output)
  }

  /// The in-memory driver of libhdf5 once looked for a file of the image's name.
  @Test func filesInTheCurrentFolderDoNotMatter() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write("no HDF5", to: "image")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Tool.path)
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.arguments = ["inspect", "--trusted", "--quiet", Fixtures.model("small.h5")]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func limitsAreOptions() throws {
    let path = Fixtures.model("small.h5")
    try expectFailure(["inspect", path, "--limit", "depth=1"], [path, "deeper than 1"])
    #expect(try Tool.run(["inspect", path, "--limit", "depth=20", "--limit", "rank=2"]).status == 0)
    try expectFailure(["inspect", path, "--limit", "height=1"], ["height=1"])
    try expectFailure(["inspect", path, "--limit", "depth=-1"])
  }

  /// The hidden argument is of no use to users.
  @Test func workersWithoutAFileEnd() throws {
    #expect(try Tool.run(["__hdf5-worker"]).status == 2)
    #expect(try Tool.run(["__hdf5-worker", "0", "10", "100000000", "0", "1"]).status == 3)
  }
}
