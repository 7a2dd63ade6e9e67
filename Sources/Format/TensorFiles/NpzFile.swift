import OrderedCollections

/// The `.npz` format of NumPy: a zip archive of `.npy` files.
public enum NpzFile {
  /// The arrays of an archive by name, in archive order.
  ///
  /// - Throws: `FormatError`, of kind `refused` for arrays of pickled objects, of kind `malformed` when readers could take
  ///   different arrays from the file.
  public static func read(
    _ region: ByteRegion, limits: ReadLimits = ReadLimits()
  ) throws(FormatError) -> OrderedDictionary<String, Tensor> {
    let archive = try ZipArchive(region, limits: limits)
    if let error = archive.findings.first(where: { $0.severity == .error }) {
      throw FormatError(.malformed, "zip: \(error.message)", file: region.name, at: error.place)
    }
    return try read(archive, limits: limits)
  }

  /// The arrays of an archive whose findings the caller shows.
  static func read(
    _ archive: ZipArchive, limits: ReadLimits
  ) throws(FormatError) -> OrderedDictionary<String, Tensor> {
    var tensors: OrderedDictionary<String, Tensor> = [:]
    for member in archive.members.keys where member.hasSuffix(".npy") {
      let name = String(member.dropLast(".npy".count))
      // NumPy gives that member's bytes for the name.
      guard archive.members[name] == nil else {
        throw FormatError(.malformed, "\"\(name)\" and \"\(member)\" are members of one archive", file: archive.path)
      }
      tensors[name] = try NpyFile.read(try archive.region(member), limits: limits)
    }
    guard !tensors.isEmpty else {
      throw FormatError(.unrecognized, "is a zip archive without arrays", file: archive.path)
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
