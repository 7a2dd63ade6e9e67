import NNEngine
import NNFormat
import OrderedCollections

/// What `quantise` did, and its JSON form.
struct QuantisationResult {
  let source: String
  let target: String
  /// What was in force, by the names of the options.
  let settings: [(name: String, value: String)]
  var targetFormat = "ONNX"
  var layers: [LayerQuantisation] = []
  var bytesBefore = 0
  var bytesAfter: Int?
  /// What the network's outputs lose.
  var outputs: ErrorSums?
  var speed: QuantisationSpeed?
  var accuracy: ClassAccuracy?
  var budget: (limit: Double, budget: QuantisationBudget)?
  /// Why nothing was written.
  var refusal: String?

  init(source: String, target: String, settings: [(name: String, value: String)]) {
    self.source = source
    self.target = target
    self.settings = settings
  }

  /// The whole as `nnfmt.quantise/1`.
  var json: JSONValue {
    var members: OrderedDictionary<String, JSONValue> = [
      "schema": "nnfmt.quantise/1", "source": .string(source), "target": .string(target),
      "written": .bool(refusal == nil), "refusal": refusal.map { .string($0) } ?? .null,
    ]
    members["settings"] = .object(OrderedDictionary(settings.map { ($0.name, JSONValue.string($0.value)) }) { $1 })
    members["layers"] = .array(layers.map(\.json))
    members["bytes"] = ["before": .int(bytesBefore), "after": bytesAfter.map { .int($0) } ?? .null]
    if let outputs {
      members["outputs"] = [
        "sqnr_db": .decibels(outputs), "cosine": .number(outputs.cosine), "max_error": .number(outputs.largest),
      ]
    }
    if let speed {
      members["speed"] = [
        "before_us": .number(speed.before), "after_us": .number(speed.after), "ratio": .number(speed.ratio),
        "rows": .int(speed.rows), "threads": .int(speed.threads),
      ]
    }
    if let accuracy { members["accuracy"] = accuracy.json }
    if let budget { members["budget"] = budget.budget.json(limit: budget.limit) }
    return .object(members)
  }
}

extension JSONValue {
  /// A finite number; `null` otherwise.
  fileprivate static func number(_ value: Double?) -> JSONValue {
    guard let value, value.isFinite else { return .null }
    return .double(value)
  }

  /// A ratio in decibels; `null` where nothing was measured or nothing was lost.
  fileprivate static func decibels(_ sums: ErrorSums?) -> JSONValue { number(sums?.decibels) }
}

extension LayerQuantisation {
  fileprivate var json: JSONValue {
    let measured = cumulative ?? output
    return [
      "name": .string(name), "operator": .string(operatorType), "scheme": .string(scheme), "bits": .double(bits),
      "weight_sqnr_db": .decibels(weights), "output_sqnr_db": .decibels(output),
      "cumulative_sqnr_db": .decibels(cumulative), "cosine": .number((measured ?? weights)?.cosine),
      "max_error": .number((measured ?? weights)?.largest), "weight_max_error": .number(weights?.largest),
      "weight_saturation": .number(weights?.saturation),
      "scale": scales.map { ["min": .double(Double($0.lowerBound)), "max": .double(Double($0.upperBound))] } ?? .null,
      "activation": activation.map {
        [
          "min": .double(Double($0.range.lowerBound)), "max": .double(Double($0.range.upperBound)),
          "saturation": .double($0.saturation),
        ]
      } ?? .null, "sensitivity": .number(sensitivity), "kept": reason.map { .string($0) } ?? .null,
    ]
  }
}

extension ClassAccuracy {
  fileprivate var json: JSONValue {
    [
      "before": .double(before), "after": .double(after),
      "changes": .array(
        changes.map {
          ["before": .int($0.before), "after": .int($0.after), "truth": .int($0.truth), "rows": .int($0.rows)]
        }),
    ]
  }
}

extension QuantisationBudget {
  fileprivate func json(limit: Double) -> JSONValue {
    [
      "max_drop": .double(limit), "met": .bool(isMet),
      "trials": .array(
        trials.map { ["kept": $0.kept.map { .string($0) } ?? .null, "drop": .number($0.drop)] }),
    ]
  }
}
