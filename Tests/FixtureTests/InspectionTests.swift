import NNEngine
import NNFormat
import TestSupport
import Testing

/// Every fixture that can be shown is shown, and what cannot be run says why in one line.
@Suite struct InspectionTests {
  @Test(arguments: Fixtures.rows(.predict) + Fixtures.rows(.inspect)) func showsEveryLayer(_ row: FixtureRow) throws {
    let report = ModelReport(try row.read(), withStatistics: true)
    let types = Set(report.layers.map(\.type))
    for layer in row.layers where layer != "InputLayer" {
      #expect(
        types.contains { $0 == layer || $0.hasSuffix(">\(layer)") || ($0 == "Model" && layer == "Functional") },
        "\(layer) is not shown")
    }
    #expect(row.layers.isEmpty || !report.layers.isEmpty)
    #expect(report.fileBytes > 0 && !report.format.isEmpty)
    #expect(report.parameters.total == report.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) })
    #expect(report.parameters.bytes == report.tensors.reduce(0) { $0 + $1.bytes })
    #expect((0...report.parameters.total).contains(report.parameters.trainable))
    for tensor in report.tensors where tensor.elementType.bitWidth ?? 0 >= 8 {
      #expect(tensor.statistics != nil, "\(tensor.name) has no statistics")
    }
    // Nodes of a graph may share constants, which count once in the total.
    guard case .keras = try row.read().content else { return }
    let outermost = report.layers.filter { $0.depth == 0 }.reduce(0) { $0 + $1.parameters }
    #expect(outermost == report.parameters.total)
  }

  @Test(arguments: Fixtures.rows(.predict)) func reportsWhatTheNetworkTakesAndGives(_ row: FixtureRow) throws {
    let file = try row.read()
    let (report, network) = (ModelReport(file), try Network(try file.model()))
    #expect(report.inputs.map(\.name) == network.inputs.map(\.name))
    #expect(report.inputs.map(\.shape) == network.inputs.map(\.shape))
    #expect(report.outputs.count == network.outputs.count)
    // A sequence of maps has no element type in the file; the network gives its matrix.
    #expect(
      zip(report.outputs, network.outputs).allSatisfy { $0.elementType == nil || $0.elementType == $1.elementType })
    #expect(!report.findings.contains { ["not-runnable", "missing-weights", "unsupported-layer"].contains($0.code) })
  }

  @Test(arguments: Fixtures.rows(.error)) func refusesInOneLine(_ row: FixtureRow) throws {
    let description: String
    do {
      let network = try Network(try row.read().model())
      _ = try network.run(try row.referenceInputs(for: network.inputs))
      Issue.record("it ran")
      return
    } catch {
      description = "\(error)"
    }
    if let message = row.message { #expect(description.lowercased().contains(message.lowercased())) }
    #expect(!description.contains { $0.isNewline })
    #expect(description.hasSuffix("."))
    #expect(description.contains(row.path))
  }

  @Test(arguments: Fixtures.rows(.inspect)) func whatIsOnlyShownIsRefusedByNameOrRuns(_ row: FixtureRow) throws {
    let classes = Set(row.layers).subtracting(["Dense", "Flatten", "InputLayer", "Dropout"])
    do throws(FormatError) {
      let model = try row.read().model()
      // Such a file runs here only when nothing in it is beyond the table of layers.
      #expect(classes.isEmpty, "\(model.graph.nodes.map(\.operatorType))")
    } catch {
      let isNamed = classes.isEmpty || classes.contains { "\(error)".contains($0) } || "\(error)".contains("quantised")
      #expect(isNamed, "\(error)")
      #expect(!"\(error)".contains { $0.isNewline })
    }
  }
}
