import NNFormat
import OrderedCollections

/// Prints a model report for people.
struct ReportView {
  private let report: ModelReport

  init(_ report: ModelReport) { self.report = report }

  /// The whole report; with every tensor or as a tree on request.
  func print(weights: Bool, tree: Bool) {
    printHead()
    if tree { printTree() } else { printLayers() }
    printTotals()
    if weights { printTensors(report.tensors) }
    printFindings()
  }

  /// One layer.
  func print(_ row: ModelReport.LayerRow) {
    let head =
      "\(row.name): \(row.type), \(Figures.grouped(row.parameters)) parameters, output \(shapeText(row.outputShape))"
      + (row.precision.map { ", \(Figures.fixed($0.bits, 2)) bits a weight, \($0.scheme)" } ?? "")
    Swift.print(head.onOneLine)
    if !row.inputs.isEmpty { Swift.print("inputs: \(row.inputs.joined(separator: ", "))".onOneLine) }
    printTensors(report.tensors.filter { row.tensors.contains($0.name) })
    if let configuration = row.configuration { Swift.print("\n" + configuration.text(.indented)) }
  }

  /// One layer as JSON: the whole row with tensors and configuration.
  func json(of row: ModelReport.LayerRow) -> JSONValue {
    let whole = report.json
    let layer = whole["layers"]?.array?.first { $0["name"]?.string == row.name } ?? .null
    let tensors = (whole["tensors"]?.array ?? []).filter { row.tensors.contains($0["name"]?.string ?? "") }
    return [
      "schema": "nnfmt.inspect/1", "file": whole["file"] ?? .null, "layers": [layer], "tensors": .array(tensors),
      "configuration": row.configuration ?? .null,
    ]
  }

  private func printHead() {
    let details = [
      report.format, report.version.map { report.format == "ONNX" ? $0 : "Keras \($0)" },
      report.producer.flatMap {
        $0 == "Keras" || $0.isEmpty ? nil : $0
      }, Figures.bytes(report.fileBytes),
    ]
    Swift.print("\(report.path): \(details.compactMap { $0 }.joined(separator: ", "))".onOneLine + "\n")
    var table = Table(("", .left), ("", .left), ("", .left), ("", .left))
    for input in report.inputs { add("input", input, to: &table) }
    for output in report.outputs { add("output", output, to: &table) }
    if !table.isEmpty {
      for line in table.lines().dropFirst() { Swift.print(line) }
      Swift.print("")
    }
  }

  private func add(_ role: String, _ value: ModelReport.ValueRow, to table: inout Table) {
    table.add(role, value.name, value.elementType?.name ?? "?", shapeText(value.shape))
  }

  private func printLayers() {
    guard !report.layers.isEmpty else { return }
    var table = Table(
      ("Layer", .left), ("Type", .left), ("Output shape", .left), ("Parameters", .right), ("Activation", .left),
      ("Bits", .right), ("Weights", .left), ("", .left))
    let isQuantised = report.layers.contains { $0.precision?.isQuantised == true }
    for layer in report.layers {
      table.add(
        String(repeating: "  ", count: layer.depth) + (layer.depth == 0 ? layer.name : lastPart(layer.name)),
        layer.type,
        layer.outputShape.map(\.description) ?? (layer.type == "weights" ? "" : "?"), Figures.grouped(layer.parameters),
        layer.activation ?? "", isQuantised ? layer.precision.map { Figures.fixed($0.bits, 2) } ?? "" : "",
        isQuantised ? layer.precision?.scheme ?? "" : "", layer.isTrainable ? "" : "frozen")
    }
    table.print()
  }

  private func printTree() {
    var table = Table(
      ("Layer and tensors", .left), ("Type", .left), ("Shape", .left), ("Bytes", .right), ("Place", .left))
    for layer in report.layers {
      let indent = String(repeating: "  ", count: layer.depth)
      table.add(indent + lastPart(layer.name), layer.type, shapeText(layer.outputShape), "", "")
      for tensor in report.tensors where layer.tensors.contains(tensor.name) {
        table.add(
          indent + "  - " + lastPart(tensor.name), tensor.elementType.name, Shape(tensor.shape).description,
          Figures.grouped(tensor.bytes), tensor.place)
      }
    }
    table.print()
  }

  private func printTotals() {
    let counts = report.parameters
    var text = "\nParameters: \(Figures.grouped(counts.total)) (\(Figures.bytes(counts.bytes)))"
    if counts.nonTrainable > 0 {
      text += ", \(Figures.grouped(counts.trainable)) trainable, \(Figures.grouped(counts.nonTrainable)) not"
    }
    Swift.print(text)
    if let training = report.training {
      var parts = [training.optimizer ?? "no optimizer", training.loss.map { "loss \($0)" } ?? "no loss"]
      if !training.metrics.isEmpty { parts.append("metrics \(training.metrics.joined(separator: ", "))") }
      if training.optimizerVariables > 0 { parts.append("\(training.optimizerVariables) optimizer variables stored") }
      Swift.print("Training: \(parts.joined(separator: ", "))".onOneLine)
    }
    for (key, value) in report.metadata where report.format == "ONNX" || key == "onnx" {
      Swift.print("\(key): \(value.prefix(100))".onOneLine)
    }
  }

  private func printTensors(_ tensors: [ModelReport.TensorRow]) {
    guard !tensors.isEmpty else { return }
    Swift.print("")
    var table = Table(
      ("Tensor", .left), ("Type", .left), ("Shape", .left), ("Bytes", .right), ("Min", .right), ("Max", .right),
      ("Mean", .right), ("Std", .right), ("Zeros", .right), ("NaN", .right), ("Inf", .right))
    for tensor in tensors {
      var cells = [
        tensor.name, tensor.elementType.name, Shape(tensor.shape).description, Figures.grouped(tensor.bytes),
      ]
      if let statistics = tensor.statistics {
        let figures = [statistics.minimum, statistics.maximum, statistics.mean, statistics.standardDeviation]
        cells +=
          figures.map(Figures.short) + [statistics.zeros, statistics.nan, statistics.infinite].map(Figures.grouped)
      } else {
        cells += Array(repeating: "", count: 7)
      }
      table.add(cells)
    }
    table.print()
  }

  private func printFindings() {
    guard !report.findings.isEmpty else { return }
    Swift.print("")
    for finding in report.findings {
      let color: Terminal.Color = finding.severity == .error ? .red : finding.severity == .warning ? .yellow : .dim
      let severity = Terminal.colored(finding.severity.rawValue, color)
      Swift.print("\(severity): " + "\(finding.message) (\(finding.place)) [\(finding.code)]".onOneLine)
    }
  }

  private func shapeText(_ shape: Shape?) -> String { shape?.description ?? "?" }

  private func lastPart(_ name: String) -> String { name.split(separator: "/").last.map(String.init) ?? name }
}
