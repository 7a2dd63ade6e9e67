/// The start of an HDF5 file, as far as it says where the file ends.
///
/// Format: HDF5 File Format Specification, section II.A, "Disk Format: Level 0A - Format Signature and Superblock".
enum HDF5Superblock {
  /// Bytes behind the end that the file states; 0 where it does not tell.
  static func trailingByteCount(of region: ByteRegion) -> Int {
    guard let start = FileKind.hdf5Start(in: region),
      let header = try? region.bytes(start..<min(start + 64, region.count)),
      header.count > 16
    else { return 0 }
    let version = header[8]
    // Sizes of offsets, and where the end-of-file address is behind the base and one other address.
    let (size, first): (Int, Int) =
      switch version {
      case 0: (Int(header[13]), 24)
      case 1: (Int(header[13]), 28)
      case 2, 3: (Int(header[9]), 12)
      default: (0, 0)
      }
    let place = first + 2 * size
    guard (1...8).contains(size), place + size <= header.count else { return 0 }
    let end = header[place..<place + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let end = Int(exactly: end), end > 0, end < region.count else { return 0 }
    return region.count - end
  }
}
