import NNFormat
import TestSupport
import Testing

/// Fixtures in several forms, and what another program computed with them.
struct InteropBatch: Sendable {
  /// What became of one form of a fixture.
  enum Outcome: Sendable, CustomStringConvertible {
    /// max |difference| / max |expected|, the largest over all outputs.
    case difference(Double)
    /// The other program could not load or run it.
    case refused(String)
    /// It was not made.
    case notConverted(String)

    var description: String {
      switch self {
      case .difference(let number): "a relative difference of \(number)"
      case .refused(let message): "refused: \(message)"
      case .notConverted(let message): "not converted: \(message)"
      }
    }
  }

  private let outcomes: [String: Outcome]
  // The files live as long as their answers.
  private let folder: TemporaryFolder

  /// Converts the fixtures that predict and hands them over, all in one process.
  ///
  /// - Parameter forms: the forms of a fixture.
  init(_ peer: PythonPeer, forms: (FixtureRow) -> [FixtureForm]) throws {
    folder = try TemporaryFolder()
    var outcomes: [String: Outcome] = [:]
    var jobs: [PythonPeer.Job] = []
    for (number, row) in Fixtures.rows(.predict).enumerated() {
      for (index, form) in forms(row).enumerated() {
        let id = Self.id(row, form)
        let path = folder.file("\(number).\(index).\(form.ending)")
        do {
          let dropped = try form.write(row, to: path)
          var job = PythonPeer.Job(
            id: id, file: path, inputs: Fixtures.path(row.inputs ?? ""), outputs: Fixtures.path(row.outputs ?? ""))
          let outputs = try row.read().model().graph.outputs.map(\.name)
          if !dropped.isDisjoint(with: outputs) {
            let kept = outputs.indices.filter { !dropped.contains(outputs[$0]) }
            job.more["kept"] = kept.map(String.init).joined(separator: ",")
          }
          if form.ending == "weights.h5" {
            let layers = folder.file("\(number).\(index).keras")
            try FixtureForm(way: form.way, ending: "keras").write(row, to: layers)
            job.architecture = layers
          }
          jobs.append(job)
        } catch {
          outcomes[id] = .notConverted("\(error)")
        }
      }
    }
    for (id, answer) in try peer.answers(to: jobs) {
      switch answer {
      case .differences(let numbers): outcomes[id] = .difference(numbers.max() ?? .infinity)
      case .error(let message): outcomes[id] = .refused(message)
      }
    }
    self.outcomes = outcomes
  }

  private static func id(_ row: FixtureRow, _ form: FixtureForm) -> String { "\(row.name): \(form)" }

  /// Requires that the forms of a fixture compute its numbers, but for the exceptions, which have to be true.
  func verify(_ row: FixtureRow, _ forms: [FixtureForm], exceptions: [InteropException]) throws {
    for form in forms {
      let outcome = try #require(outcomes[Self.id(row, form)])
      let exception = exceptions.first { $0.concerns(row, form) }
      switch (outcome, exception) {
      case (.difference(let difference), nil):
        #expect(difference <= row.tolerance, "\(row.name), \(form): differs by \(difference) of its scale")
      case (.notConverted(let message), nil) where form.way == .raised && UnraisedFixtures.contains(row):
        #expect(message.contains("(node ") || message.contains("(outputs)"), "\(row.name), \(form): \(message)")
      case (_, nil): Issue.record("\(row.name), \(form): \(outcome)")
      case (.difference(let difference), let exception?):
        #expect(difference > row.tolerance, "\(row.name), \(form): is no exception any more (\(exception.reason))")
      case (.refused(let message), let exception?), (.notConverted(let message), let exception?):
        #expect(
          message.contains(exception.message), "\(row.name), \(form): \(outcome), for another reason than \(exception)")
      }
    }
  }
}

/// A fixture that another program cannot take, and why.
struct InteropException: Sendable, CustomStringConvertible {
  /// The fixtures' names.
  let fixtures: Set<String>
  /// The forms concerned; empty for all.
  let forms: Set<FixtureForm>
  /// What the error says, as far as it has to be in it.
  let message: String
  let reason: String

  init(_ reason: String, message: String, forms: Set<FixtureForm> = [], _ fixtures: Set<String>) {
    self.fixtures = fixtures
    self.forms = forms
    self.message = message
    self.reason = reason
  }

  var description: String { "\(reason) (\"\(message)\")" }

  func concerns(_ row: FixtureRow, _ form: FixtureForm) -> Bool {
    fixtures.contains(row.name) && (forms.isEmpty || forms.contains(form))
  }
}
