import Foundation
import NNFormat
import Synchronization
import TestSupport
import Testing

/// What two threads tell each other.
private final class Exchange: Sendable {
  let isOver = Atomic(false)
  let hasEnded = DispatchSemaphore(value: 0)
}

/// Files that may be opened from a folder, and what must not be.
@Suite struct BeneathTests {
  /// A folder "inside" with a file "own.bin", beside a file "secret.bin".
  private static func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.file("inside/deep"), withIntermediateDirectories: true)
    _ = try folder.write("own", to: "inside/own.bin")
    _ = try folder.write("secret", to: "secret.bin")
    return folder
  }

  private static func content(_ descriptor: Int32) throws -> String {
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
  }

  @Test(arguments: [true, false]) func linksMayStayInTheFolder(inOneStep: Bool) throws {
    let folder = try Self.folder()
    let links = [
      ("relative", "own.bin"), ("deep/up", "../own.bin"), ("absolute", folder.file("inside/own.bin")),
      ("whole", "deep"),
    ]
    for (name, target) in links {
      try FileManager.default.createSymbolicLink(atPath: folder.file("inside/\(name)"), withDestinationPath: target)
    }
    for path in ["own.bin", "relative", "deep/up", "absolute", "whole/up", "./own.bin", "deep/../own.bin"] {
      let descriptor = try FileSystem.openFile(path, beneath: folder.file("inside"), inOneStep: inOneStep)
      #expect(try Self.content(descriptor) == "own", "\(path)")
    }
  }

  @Test(arguments: [true, false]) func nothingOutsideIsOpened(inOneStep: Bool) throws {
    let folder = try Self.folder()
    let links = [
      ("relative", "../secret.bin"), ("deep/up", "../../secret.bin"), ("absolute", folder.file("secret.bin")),
      ("whole", ".."), ("magic", "/proc/self/root"), ("circle", "circle"), ("nowhere", "absent"),
    ]
    for (name, target) in links {
      try FileManager.default.createSymbolicLink(atPath: folder.file("inside/\(name)"), withDestinationPath: target)
    }
    let outside = [
      "../secret.bin", "relative", "deep/up", "absolute", "whole/secret.bin", "magic\(folder.file("secret.bin"))",
    ]
    for path in outside + ["circle", "nowhere", "absent", "own.bin/x", "deep/absent"] {
      let error = #expect(throws: FormatError.self) {
        close(try FileSystem.openFile(path, beneath: folder.file("inside"), inOneStep: inOneStep))
      }
      if outside.contains(path) {
        #expect(error?.kind == .refused, "\(path)")
      } else {
        #expect(error?.kind == .missing || error?.kind == .refused, "\(path)")
      }
    }
  }

  /// Somebody puts a link to another file into the place of one's own, and back, all the time.
  @Test func aLinkThatComesAndGoesLeadsNowhere() throws {
    let folder = try Self.folder()
    let path = folder.file("inside/changing.bin")
    try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: "../secret.bin")
    let exchange = Exchange()
    let thread = Thread {
      var number = 0
      while !exchange.isOver.load(ordering: .relaxed) {
        unsafe link(folder.file(number % 2 == 0 ? "inside/own.bin" : "link"), folder.file("next"))
        unsafe rename(folder.file("next"), path)
        // Renaming does nothing where both names are of one file.
        unsafe unlink(folder.file("next"))
        number += 1
      }
      exchange.hasEnded.signal()
    }
    thread.start()
    var opened = 0
    for _ in 0..<2000 {
      guard let descriptor = try? FileSystem.openFile("changing.bin", beneath: folder.file("inside")) else { continue }
      opened += 1
      #expect(try Self.content(descriptor) == "own")
    }
    exchange.isOver.store(true, ordering: .relaxed)
    exchange.hasEnded.wait()
    #expect(opened > 0)
  }
}
