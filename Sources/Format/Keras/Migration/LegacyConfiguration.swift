/// The configuration of a model as legacy HDF5 files spell it: layers without module, registered name or build shape.
enum LegacyConfiguration {
  private static let archiveKeys = ["module", "registered_name", "build_config", "compile_config", "shared_object_id"]

  /// The legacy form of an archive's configuration; a legacy one stays what it is.
  static func form(of configuration: JSONValue) -> JSONValue {
    guard var members = configuration.object, configuration["module"] != nil else { return configuration }
    if let registered = configuration["registered_name"]?.string, registered.contains(">") {
      members["class_name"] = .string(registered)
    }
    for key in archiveKeys { members[key] = nil }
    members["config"] = configuration["config"].map(layers)
    return .object(members)
  }

  private static func layers(of configuration: JSONValue) -> JSONValue {
    guard let layers = configuration["layers"]?.array else { return configuration }
    return configuration.setting("layers", to: .array(layers.map(form)))
  }
}
