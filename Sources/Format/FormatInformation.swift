/// What this library is, and the libraries that it is linked with.
public enum FormatInformation {
  /// The version of the toolkit, as CHANGELOG.md counts it.
  public static let version = "0.1.0"

  /// Names and versions.
  public static var libraries: [(name: String, version: String)] { [("libhdf5", HDF5Library.version)] }
}
