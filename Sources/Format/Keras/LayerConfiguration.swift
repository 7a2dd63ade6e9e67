import OrderedCollections

/// The constructor arguments of a layer as its file states them, with the generation of Keras that gives them meaning.
public struct LayerConfiguration: Sendable {
  /// The arguments as an object, in file order.
  public var json: JSONValue
  /// 1, 2 or 3.
  public let generation: Int
  /// How messages name the layer.
  let label: String
  /// Where Keras 3 puts the layer: its name, behind those of the Sequential models around it.
  var path: String?

  /// An argument that is present and not null.
  public subscript(key: String) -> JSONValue? {
    guard let value = json[key], !value.isNull else { return nil }
    return value
  }

  /// A whole number under the first of the names that is present.
  func int(_ names: String...) throws(FormatError) -> Int? {
    for name in names {
      guard let value = self[name] else { continue }
      guard let number = value.int else { throw unreadable(name, "a whole number") }
      return number
    }
    return nil
  }

  /// A number under the first of the names that is present, else the default. Keras wraps some in an object.
  func float(_ names: String..., default fallback: Float) throws(FormatError) -> Float {
    for name in names {
      guard let value = self[name] else { continue }
      guard let number = (value["config"]?["value"] ?? value["value"] ?? value).float else {
        throw unreadable(name, "a number")
      }
      return number
    }
    return fallback
  }

  func bool(_ name: String, default fallback: Bool) throws(FormatError) -> Bool {
    guard let value = self[name] else { return fallback }
    guard let flag = value.bool ?? value.int.map({ $0 != 0 }) else { throw unreadable(name, "true or false") }
    return flag
  }

  /// A list of whole numbers; a single number counts as a list of one.
  func ints(_ names: String...) throws(FormatError) -> [Int]? {
    for name in names {
      guard let value = self[name] else { continue }
      guard let numbers = value.ints ?? value.int.map({ [$0] }) else {
        throw unreadable(name, "a list of whole numbers")
      }
      return numbers
    }
    return nil
  }

  func string(_ names: String...) -> String? {
    for name in names { if let text = self[name]?.string { return text } }
    return nil
  }

  func unreadable(_ name: String, _ expected: String) -> FormatError {
    FormatError(.malformed, "\"\(name)\" is \(json[name]?.text().prefix(60) ?? "absent"), not \(expected)", at: label)
  }

  /// The element types of computation and of variables, from the dtype or dtype policy.
  public var policy: DTypePolicy {
    let stated = self["dtype"] ?? self["dtype_policy"]
    guard stated?["class_name"]?.string == "DTypePolicyMap", let map = stated?["config"] else {
      return DTypePolicy(stated)
    }
    return DTypePolicy(path.flatMap { map["policy_map"]?[$0] } ?? map["default_policy"])
  }

  /// The axis list of a shape with the batch in front, from a configuration that states one.
  static func batchShape(_ value: JSONValue?) -> [Int?]? {
    guard let axes = value?.array else { return nil }
    var shape: [Int?] = []
    for axis in axes {
      if axis.isNull {
        shape.append(nil)
      } else if let extent = axis.int, extent >= 0 {
        shape.append(extent)
      } else {
        return nil
      }
    }
    return shape
  }

  /// The input shape with the batch in front, as any generation of Keras spells it in a layer's configuration.
  var inputShape: [Int?]? {
    if let shape = Self.batchShape(self["batch_shape"] ?? self["batch_input_shape"]), !shape.isEmpty { return shape }
    if let shape = Self.batchShape(self["input_shape"]) { return [nil] + shape }
    if let width = self["input_dim"]?.int { return [nil, width] }
    return nil
  }
}

/// What a layer computes in and what its variables are stored in.
public struct DTypePolicy: Sendable, Hashable {
  /// What the layer computes in.
  public var compute: ElementType
  /// What the layer's variables are stored in.
  public var variable: ElementType
  /// The mode of a quantised layer (`int8`, `int4/128`, `float8` ...), or `nil`.
  public var quantizationMode: String?
  /// The policy's own name.
  public var name: String

  /// Reads a name such as `mixed_bfloat16`, or the object form that Keras 3 writes. Absent means float32.
  init(_ value: JSONValue?) {
    let configuration = value?["config"]
    quantizationMode = configuration?["mode"]?.string
    name = value?.string ?? configuration?["source_name"]?.string ?? configuration?["name"]?.string ?? "float32"
    let single = ElementType.allCases.first { [name] in $0.name == name }
    switch name {
    case "mixed_float16": (compute, variable) = (.float16, .float32)
    case "mixed_bfloat16": (compute, variable) = (.bfloat16, .float32)
    default: (compute, variable) = (single ?? .float32, single ?? .float32)
    }
  }
}
