import NNEngine
import NNFormat

extension EpochRecord {
  /// The record as an object, with the columns of `columns`.
  public var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("epoch", .int(epoch)), ("seconds", .double(seconds)), ("rows_per_s", .double(rowsPerSecond)),
      ("loss", .double(loss)),
    ]
    members += metrics.map { ($0.name, .double($0.value)) }
    if let validationLoss { members.append(("val_loss", .double(validationLoss))) }
    members += validationMetrics.map { ("val_\($0.name)", .double($0.value)) }
    members.append(("learning_rate", .number("\(learningRate)")))
    var json: JSONValue = [:]
    for (key, value) in members { json = json.adding(key, value) }
    return json
  }

  /// The record of an object that `json` made.
  init(_ json: JSONValue) {
    let known: Set = ["epoch", "seconds", "rows_per_s", "loss", "val_loss", "learning_rate"]
    let others = (json.object ?? [:]).filter { !known.contains($0.key) }.map { ($0.key, $0.value.double ?? .nan) }
    self.init(
      epoch: json["epoch"]?.int ?? 0, seconds: json["seconds"]?.double ?? 0,
      rowsPerSecond: json["rows_per_s"]?.double ?? 0, loss: json["loss"]?.double ?? .nan,
      metrics: others.filter { !$0.0.hasPrefix("val_") }.map { (name: $0.0, value: $0.1) },
      validationLoss: json["val_loss"]?.double,
      validationMetrics: others.filter { $0.0.hasPrefix("val_") }.map {
        (name: String($0.0.dropFirst(4)), value: $0.1)
      },
      learningRate: json["learning_rate"]?.float ?? 0)
  }
}

extension JSONValue {
  fileprivate func adding(_ key: String, _ value: JSONValue) -> JSONValue {
    guard case .object(var members) = self else { return self }
    members[key] = value
    return .object(members)
  }
}

/// A file with a row for each epoch, as CSV or as JSON by its extension.
public enum HistoryFile {
  /// Writes the epochs in the place of an older file.
  public static func write(_ history: [EpochRecord], to path: String) throws(FormatError) {
    let rows = history.map(\.json)
    let text: String
    if path.hasSuffix(".json") {
      text = (["schema": "nnfmt.train/1", "epochs": .array(rows)] as JSONValue).text(.indented) + "\n"
    } else {
      let names = rows.first?.object?.keys.map { $0 } ?? []
      text =
        names.joined(separator: ",") + "\n"
        + rows.map { row in names.map { row[$0]?.text() ?? "" }.joined(separator: ",") + "\n" }.joined()
    }
    let file = try AtomicWriter(replacing: path)
    try file.write(Array(text.utf8))
    try file.commit()
  }
}
