import OrderedCollections

/// Renames and rewrites the arguments of Keras's own layers from Keras 0.3 to 2 as Keras 3 has them.
enum LayerMigration {
  /// Class and arguments of a layer in Keras 3.
  ///
  /// - Throws: `FormatError` of kind `unsupported` where Keras 3 has nothing that computes the same.
  static func migrated(_ className: String, _ configuration: JSONValue) throws(FormatError) -> (String, JSONValue) {
    guard let members = configuration.object else { return (className, configuration) }
    var result: OrderedDictionary<String, JSONValue> = [:]
    var newClass = className
    for (key, value) in members {
      let key = renamed[key] ?? perClass[className]?[key] ?? key
      if dropped.contains(key) || (className != "Embedding" && key == "input_dim") { continue }
      result[key] = serialised(value, for: key)
    }
    switch className {
    case "InputLayer":
      if result["batch_shape"] == nil { result["batch_shape"] = members["batch_input_shape"] }
      result["ragged"] = members["ragged"]?.bool == true ? true : nil
    case "ThresholdedReLU":
      newClass = "ReLU"
      result["threshold"] = number(members["theta"]) ?? 1
      result["theta"] = nil
    case "SpectralNormalization" where members["layer"]?["class_name"]?.string == "Embedding":
      // Keras 3 casts its output to the type of the input.
      throw unsupported("SpectralNormalization of an Embedding", configuration)
    case "Discretization": result["trainable"] = nil
    case "LayerNormalization":
      let axes = (members["axis"]?.array ?? []).compactMap(\.int)
      // Axes counted from either end are in no order of their own.
      guard axes.allSatisfy({ $0 < 0 }) || axes.allSatisfy({ $0 >= 0 }) else { break }
      if axes.count > 1 { result["axis"] = .array(axes.sorted().map { .int($0) }) }
    case "BatchNormalization":
      if let axis = members["axis"]?.array, axis.count == 1 { result["axis"] = axis[0] }
      if let mode = members["mode"]?.int, mode != 0 {
        throw unsupported("BatchNormalization of mode \(mode)", configuration)
      }
    case "Merge": newClass = try merge(members, &result, configuration)
    default: break
    }
    for key in ["alpha", "negative_slope", "max_value", "threshold"] {
      if let value = result[key], value.object != nil { result[key] = number(value) ?? value }
    }
    if let dtype = members["dtype"], newClass != "InputLayer", newClass != "Sequential", newClass != "Functional" {
      result["dtype"] = policy(dtype)
    } else if newClass == "Functional" {
      result["dtype"] = nil
    }
    if result["recurrent_activation"]?.string == "hard_sigmoid" {
      throw unsupported("hard_sigmoid inside of \(className)", configuration)
    }
    if result["activation"]?.string == "hard_sigmoid" {
      if className == "Activation" {
        (newClass, result) = hardSigmoid(named: result["name"])
      } else {
        result["activation"] = "linear"
      }
    }
    return (newClass, .object(result))
  }

  /// Names of Keras 0.3 and 1.
  private static let renamed = [
    "init": "kernel_initializer", "W_regularizer": "kernel_regularizer", "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint", "b_constraint": "bias_constraint", "bias": "use_bias", "p": "rate",
    "sigma": "stddev", "beta_init": "beta_initializer", "gamma_init": "gamma_initializer",
  ]
  private static let perClass: [String: [String: String]] = [
    "Dense": ["output_dim": "units"], "LeakyReLU": ["alpha": "negative_slope"], "Reshape": ["dims": "target_shape"],
    "Embedding": ["kernel_initializer": "embeddings_initializer", "W_regularizer": "embeddings_regularizer"],
    "PReLU": ["kernel_initializer": "alpha_initializer"],
  ]
  /// What Keras 3 does not know, or says in an input layer.
  private static let dropped: Set = [
    "batch_input_shape", "input_shape", "input_dtype", "input_length", "batch_size", "fused", "adjustment",
    "virtual_batch_size", "mode", "cache_enabled", "weights", "custom_name", "time_major",
  ]

  /// Gives an initializer, a regularizer or a constraint its module.
  private static func serialised(_ value: JSONValue, for key: String) -> JSONValue {
    let kinds = [
      ("_initializer", "keras.initializers"), ("_regularizer", "keras.regularizers"),
      ("_constraint", "keras.constraints"),
    ]
    guard let module = kinds.first(where: { key.hasSuffix($0.0) })?.1, value.object != nil, value["module"] == nil
    else {
      return value
    }
    if let className = value["class_name"]?.string {
      return object(className, value["config"] ?? [:], in: module)
    }
    if module == "keras.regularizers" {
      return object("L1L2", ["l1": value["l1"] ?? 0, "l2": value["l2"] ?? 0], in: module)
    }
    guard let name = value["name"]?.string else { return value }
    return object(name, value.setting("name", to: nil), in: module)
  }

  private static func object(_ className: String, _ configuration: JSONValue, in module: String)
    -> JSONValue
  {
    [
      "module": .string(module), "class_name": .string(className), "config": configuration, "registered_name": .null,
    ]
  }

  private static func policy(_ dtype: JSONValue) -> JSONValue {
    guard let name = dtype.string ?? dtype["config"]?["name"]?.string else { return dtype }
    return object("DTypePolicy", ["name": .string(name)], in: "keras")
  }

  /// A number that may be wrapped in an object.
  private static func number(_ json: JSONValue?) -> JSONValue? {
    guard let json, json.object != nil else { return json }
    return json["config"]?["value"] ?? json["value"]
  }

  /// Keras 1's `Merge` by its mode.
  private static func merge(
    _ members: OrderedDictionary<String, JSONValue>, _ result: inout OrderedDictionary<String, JSONValue>,
    _ configuration: JSONValue
  ) throws(FormatError) -> String {
    let classes = ["sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate"]
    guard let mode = members["mode"]?.string, let className = classes[mode] else {
      throw unsupported("Merge of this mode", configuration)
    }
    result = ["name": members["name"] ?? "merge"]
    if className == "Concatenate" { result["axis"] = members["concat_axis"] ?? -1 }
    return className
  }

  /// Whether a layer applies the old `hard_sigmoid` to its output, which then needs a layer of its own behind it.
  static func needsHardSigmoid(_ layer: JSONValue) -> Bool {
    let configuration = layer["config"] ?? layer
    return layer["class_name"]?.string != "Activation" && layer["name"]?.string != "Activation"
      && configuration["activation"]?.string == "hard_sigmoid"
  }

  /// Up to Keras 2 `hard_sigmoid` is `clip(0.2 x + 0.5, 0, 1)`; Keras 3's has the slope 1/6. So it becomes a small model
  /// that scales and clips.
  private static func hardSigmoid(named name: JSONValue?) -> (String, OrderedDictionary<String, JSONValue>) {
    let name = name?.string ?? "hard_sigmoid"
    let scale: JSONValue = ["name": .string("\(name)_scale"), "scale": .number("0.2"), "offset": .number("0.5")]
    let clip: JSONValue = ["name": .string("\(name)_clip"), "max_value": .number("1.0")]
    let layers: JSONValue = [
      .object(["class_name": "Rescaling", "config": scale]), .object(["class_name": "ReLU", "config": clip]),
    ]
    return ("Sequential", ["name": .string(name), "layers": layers])
  }

  private static func unsupported(_ what: String, _ configuration: JSONValue) -> FormatError {
    FormatError(
      .unsupported, "\(what) has no equal in Keras 3", at: configuration["name"]?.string,
      advice: "Write an .h5 file, which keeps the generation")
  }
}
