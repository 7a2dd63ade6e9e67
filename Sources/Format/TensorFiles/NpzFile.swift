import OrderedCollections

/// The `.npz` format of NumPy: a zip archive of `.npy` files.
public enum NpzFile {
  /// The arrays of an archive by name, in archive order.
  ///
  /// - Throws: `FormatError`, of kind `refused` for arrays of pickled objects.
  public static func read(
    _ region: ByteRegion, limits: ReadLimits = ReadLimits()
  ) throws(FormatError) -> OrderedDictionary<String, Tensor> {
    let archive = try ZipArchive(region, limits: limits)
    var tensors: OrderedDictionary<String, Tensor> = [:]
    for name in archive.members.keys where name.hasSuffix(".npy") {
      tensors[String(name.dropLast(".npy".count))] = try NpyFile.read(try archive.region(name), limits: limits)
    }
    guard !tensors.isEmpty else {
      throw FormatError(.unrecognized, "is a zip archive without arrays", file: region.name)
    }
    return tensors
  }

  /// Writes arrays in order, stored without compression.
  ///
  /// - Throws: `FormatError`, of kind `unsupported` for a type that NumPy has no name for.
  public static func write(_ tensors: [(name: String, tensor: Tensor)], to path: String) throws(FormatError) {
    try ZipWriter.write(to: path) { (archive) throws(FormatError) in
      for (name, tensor) in tensors {
        let parts = try NpyFile.parts(of: tensor, named: name)
        try archive.add("\(name).npy", [ByteRegion(AlignedBytes(copying: parts.header), name: name), parts.elements])
      }
    }
  }
}
