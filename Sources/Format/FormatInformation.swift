/// The libraries that the format layer is linked with.
public enum FormatInformation {
  /// Names and versions.
  public static var libraries: [(name: String, version: String)] { [("libhdf5", HDF5Library.version)] }
}
