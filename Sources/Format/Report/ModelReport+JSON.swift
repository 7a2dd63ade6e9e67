import OrderedCollections

extension ModelReport {
  /// The report as `nnfmt.inspect/1`.
  public var json: JSONValue {
    [
      "schema": "nnfmt.inspect/1",
      "file": [
        "path": .string(path), "bytes": .int(fileBytes), "format": .string(format), "version": .optional(version),
        "producer": .optional(producer),
      ],
      "name": .optional(name),
      "inputs": .array(inputs.map(\.json)),
      "outputs": .array(outputs.map(\.json)),
      "layers": .array(layers.map(\.json)),
      "parameters": [
        "total": .int(parameters.total), "trainable": .int(parameters.trainable),
        "nonTrainable": .int(parameters.nonTrainable), "bytes": .int(parameters.bytes),
      ],
      "tensors": .array(tensors.map(\.json)),
      "training": training?.json ?? .null,
      "metadata": .object(
        OrderedDictionary(uniqueKeysWithValues: metadata.map { ($0.key, JSONValue.string($0.value)) })),
      "findings": .array(findings.map(\.json)),
    ]
  }
}

extension JSONValue {
  /// Text, or `null` when there is none.
  static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

  /// A shape: numbers, names of symbolic extents, `null` for unknown ones; `null` as a whole when nothing is known.
  static func shape(_ shape: Shape?) -> JSONValue {
    guard let shape else { return .null }
    return .array(
      shape.dimensions.map { dimension in
        switch dimension {
        case .known(let extent): .int(extent)
        case .symbolic(let name): .string(name)
        case .unknown: .null
        }
      })
  }
}

extension ModelReport.ValueRow {
  var json: JSONValue {
    ["name": .string(name), "elementType": .optional(elementType?.name), "shape": .shape(shape)]
  }
}

extension ModelReport.LayerRow {
  var json: JSONValue {
    [
      "name": .string(name), "type": .string(type), "outputShape": .shape(outputShape), "parameters": .int(parameters),
      "trainable": .bool(isTrainable), "activation": .optional(activation), "depth": .int(depth),
      "scheme": .optional(precision?.scheme), "bitsPerWeight": precision.map { .double($0.bits) } ?? .null,
    ]
  }
}

extension ModelReport.TensorRow {
  var json: JSONValue {
    var members: OrderedDictionary<String, JSONValue> = [
      "name": .string(name), "elementType": .string(elementType.name), "shape": .array(shape.map { .int($0) }),
      "bytes": .int(bytes),
    ]
    if let statistics {
      members["stats"] = [
        "min": .double(statistics.minimum), "max": .double(statistics.maximum), "mean": .double(statistics.mean),
        "std": .double(statistics.standardDeviation), "zeros": .int(statistics.zeros), "nan": .int(statistics.nan),
        "inf": .int(statistics.infinite),
      ]
    }
    return .object(members)
  }
}

extension ModelReport.Training {
  var json: JSONValue {
    [
      "optimizer": .optional(optimizer), "loss": .optional(loss), "metrics": .array(metrics.map { .string($0) }),
      "optimizerVariables": .int(optimizerVariables),
    ]
  }
}

extension Finding {
  var json: JSONValue {
    [
      "severity": .string(severity.rawValue), "code": .string(code), "message": .string(message),
      "where": .string(place),
    ]
  }
}
