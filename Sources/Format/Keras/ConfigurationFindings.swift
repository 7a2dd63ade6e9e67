/// What a configuration names that Keras would run, import or open while it loads the model. Nothing of it is done here; the
/// user should know.
///
/// The advisories behind the rules are listed in docs/FINDINGS.md.
struct ConfigurationFindings {
  private(set) var findings: [Finding] = []
  private var known: Set<Finding> = []

  /// Looks through a configuration, whatever it describes.
  ///
  /// - Parameter place: what findings are at that stand in no layer.
  mutating func visit(_ json: JSONValue, place: String) {
    if let elements = json.array {
      for element in elements { visit(element, place: place) }
      return
    }
    guard let members = json.object else { return }
    var place = place
    if let className = json["class_name"]?.string {
      if let name = json["config"]?["name"]?.string { place = name }
      judge(json, className: className, at: place)
    }
    for value in members.values { visit(value, place: place) }
  }

  private mutating func add(_ severity: Finding.Severity, _ code: String, _ message: String, at place: String) {
    let finding = Finding(severity, code, message, at: place)
    if known.insert(finding).inserted { findings.append(finding) }
  }

  private mutating func judge(_ json: JSONValue, className: String, at place: String) {
    let configuration = json["config"]
    if className == "Lambda" {
      add(.error, "lambda-layer", "a Lambda layer holds Python code, which is never run", at: place)
    }
    if className == "__lambda__" || Self.holdsCode(configuration) {
      add(.error, "marshalled-code", "it holds marshalled Python code, which is neither decoded nor run", at: place)
    }
    if className == "TFSMLayer" {
      let path = configuration?["filepath"]?.string ?? ""
      add(
        .error, "saved-model-layer", "it would run the TensorFlow graph in \"\(path)\", which is not opened", at: place)
    }
    for key in ["vocabulary", "idf_weights"] {
      guard let path = configuration?[key]?.string else { continue }
      add(.error, "external-file", "its \(key) would be read from \"\(path)\", which is not opened", at: place)
    }
    guard let module = json["module"]?.string else { return }
    let name = className == "function" ? configuration?.string ?? className : className
    let isFunction = className == "function" || Self.isFunction(className, of: module)
    if !Self.isOfKeras(module) {
      // A function of a stranger has no other finding; a class has that of a custom layer, which may be a harmless one.
      let severity: Finding.Severity = isFunction ? .error : .warning
      add(
        severity, "foreign-module",
        "\"\(name)\" of the Python module \"\(module)\" is not one of Keras's; it is not imported",
        at: place)
    } else if isFunction, className != "function" || Self.isForeignFunction(name, of: module) {
      add(
        .error, "named-function", "the function \"\(name)\" of \"\(module)\" would be called; it belongs in no model",
        at: place)
    }
  }

  /// A function as Keras 2 keeps it: the code in base64, default values, closure.
  private static func holdsCode(_ configuration: JSONValue?) -> Bool {
    configuration?["function_type"]?.string == "lambda"
      || configuration?["function"]?.array?.first?.string != nil
      || configuration?["output_shape_type"]?.string == "lambda"
  }

  private static func isOfKeras(_ module: String) -> Bool {
    let parts = module.split(separator: ".")
    return switch parts.first {
    case "keras", "tf_keras", "keras_core": true
    case "builtins": parts.count == 1
    case "tensorflow": parts.dropFirst().first == "keras" || parts.dropFirst(2).first == "keras"
    default: false
    }
  }

  /// Whether a function is none of those that models are made of. Keras writes the module `builtins` for functions of its own, but a
  /// loader that imports what it does not know finds Python's there.
  private static func isForeignFunction(_ name: String, of module: String) -> Bool {
    if module == "builtins" { return PythonBuiltins.names.contains(name) }
    return ![".activations", ".losses", ".metrics", ".initializers", ".regularizers", ".constraints", ".ops"].contains {
      "\(module).".contains("\($0).")
    }
  }

  /// Whether what is given as a class is none: Keras's begin with a capital letter, those of its own notation with two underscores,
  /// and of Python's own no model holds any.
  private static func isFunction(_ className: String, of module: String) -> Bool {
    if className.hasPrefix("__") { return false }
    return module == "builtins" || className.first?.isUppercase != true
  }
}
