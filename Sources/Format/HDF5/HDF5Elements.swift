import CHDF5

/// A dataset whose elements the library decodes, and the form that they are wanted in.
struct HDF5Elements {
  var path: String
  var elementType: ElementType
  var isLittleEndian: Bool

  /// Decodes all elements.
  ///
  /// - Throws: `FormatError` with the library's message, or of kind `mismatch` when the buffer does not hold them.
  func read(from region: ByteRegion, into buffer: UnsafeMutableRawBufferPointer) throws(FormatError) {
    try HDF5Library.locked { () throws(FormatError) in
      try HDF5Image.open(region) { (file) throws(FormatError) in
        let dataset = try HDF5Handle("open a dataset", at: path) { unsafe H5Dopen2(file, path, nn_h5p_default()) }
        // Sixteen-bit floats and opaque bytes have no native type: they are read as they are stored.
        let stored = try HDF5Handle("read a type", at: path) { H5Dget_type(dataset.id) }
        let memoryType = elementType.nativeHDF5Type ?? stored.id
        let space = try HDF5Handle("read a shape", at: path) { H5Dget_space(dataset.id) }
        let count = Int(try HDF5Library.call("read a shape", at: path) { H5Sget_simple_extent_npoints(space.id) })
        // The index was read before; the file may be another one by now.
        guard count.multipliedReportingOverflow(by: H5Tget_size(memoryType)) == (buffer.count, false) else {
          throw FormatError(.mismatch, "HDF5: the dataset is not what the index says", at: path)
        }
        guard count > 0 else { return }
        try HDF5Library.call("read a dataset", at: path) {
          unsafe H5Dread(dataset.id, memoryType, nn_h5s_all(), nn_h5s_all(), nn_h5p_default(), buffer.baseAddress)
        }
      }
    }
    guard elementType.nativeHDF5Type == nil, !isLittleEndian else { return }
    for index in stride(from: 0, to: buffer.count - 1, by: 2) { unsafe buffer.swapAt(index, index + 1) }
  }

  /// The request for the elements, for a worker.
  func encoded(byteCount: Int) -> [UInt8] {
    var encoder = MessageEncoder()
    encoder.put(path)
    encoder.put(Int(elementType.rawValue))
    encoder.put(isLittleEndian)
    encoder.put(byteCount)
    return encoder.bytes
  }

  /// The request that a worker got.
  static func decoded(_ content: [UInt8]) throws(FormatError) -> (elements: HDF5Elements, byteCount: Int) {
    var decoder = MessageDecoder(content)
    let (path, type, isLittleEndian) = (try decoder.text(), try decoder.int(), try decoder.flag())
    let byteCount = try decoder.int()
    guard let number = Int32(exactly: type), let elementType = ElementType(rawValue: number), byteCount >= 0 else {
      throw MessageDecoder.error("elements of no type")
    }
    return (HDF5Elements(path: path, elementType: elementType, isLittleEndian: isLittleEndian), byteCount)
  }
}
