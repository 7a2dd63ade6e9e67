import Foundation
import NNFormat
import TestSupport
import Testing

/// Trainings that are ended by signals, and go on.
@Suite(.serialized) struct InterruptedTrainingTests {
  private static let epochs = 150

  private struct Setup {
    let folder: TemporaryFolder
    let arguments: [String]
    let out: String
    var checkpoint: String { folder.file("run.npz") }

    init() throws {
      folder = try TemporaryFolder()
      out = folder.file("out.keras")
      arguments = [
        "train", try TrainingFiles.network(folder), "--data", try folder.write(TrainingFiles.table(), to: "rows.csv"),
        "--batch", "8", "--optimizer", "nadam", "--metrics", "accuracy", "--validation-split", "0.2", "--output", out,
        "--checkpoint", folder.file("run.npz"), "--best", "--plateau", "5",
      ]
    }

    /// The bytes of the result of the whole training, uninterrupted.
    func whole() throws -> [UInt8] {
      let other = folder.file("whole.keras")
      var arguments = arguments
      arguments[arguments.firstIndex(of: out) ?? 0] = other
      arguments[arguments.firstIndex(of: checkpoint) ?? 0] = folder.file("whole.npz")
      let result = try Tool.run(arguments + ["--epochs", "\(InterruptedTrainingTests.epochs)"])
      try #require(result.status == 0, "\(result.error)")
      return try TemporaryFolder.bytes(of: other)
    }

    /// Starts a training without end and waits for its first checkpoint.
    func start(resumes: Bool = false) throws -> Tool.Running {
      let running = try Tool.Running(arguments + ["--epochs", "1000000"] + (resumes ? ["--resume"] : []))
      for _ in 0..<6000 where running.isRunning && !FileManager.default.fileExists(atPath: checkpoint) {
        Thread.sleep(forTimeInterval: 0.005)
      }
      return running
    }

    func resume() throws -> [UInt8] {
      let result = try Tool.run(arguments + ["--epochs", "\(InterruptedTrainingTests.epochs)", "--resume"])
      try #require(result.status == 0, "\(result.error)")
      return try TemporaryFolder.bytes(of: out)
    }
  }

  @Test(arguments: [SIGINT, SIGTERM]) func anInterruptedTrainingGoesOnToTheSameBits(_ signal: Int32) throws {
    let setup = try Setup()
    let running = try setup.start()
    #expect(running.end(by: signal) == 2)
    #expect(FileManager.default.fileExists(atPath: setup.checkpoint))
    #expect(!FileManager.default.fileExists(atPath: setup.out))
    #expect(try setup.resume() == setup.whole())
  }

  @Test func aKilledTrainingGoesOnToTheSameBits() throws {
    let setup = try Setup()
    for round in 0..<6 {
      let running = try setup.start(resumes: round > 0)
      Thread.sleep(forTimeInterval: 0.003 * Double(round))
      #expect(running.end(by: SIGKILL) == -SIGKILL)
    }
    #expect(try setup.resume() == setup.whole())
  }

  @Test func aCheckpointOfOtherSettingsIsRefused() throws {
    let setup = try Setup()
    _ = try setup.start().end(by: SIGTERM)
    let result = try Tool.run(setup.arguments + ["--epochs", "9", "--resume", "--loss", "mse"])
    #expect(result.status == 2 && result.errorLines.count == 1 && result.error.contains("run.npz"))
  }
}
