import CZip

/// Decompresses members of a zip archive, by the zlib library.
enum ZipInflater {
  /// Decompresses exactly all of `compressed` to exactly `byteCount` bytes.
  ///
  /// - Throws: `FormatError` of kind `malformed` when the data are damaged, or end early or late.
  static func inflate(
    _ compressed: ByteRegion, to byteCount: Int, name: String
  ) throws(FormatError) -> AlignedBytes {
    var stream = unsafe z_stream()
    // Raw data, without a header of zlib's own.
    guard unsafe inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw FormatError(.io, "zip: the compression library does not start", at: name)
    }
    defer { unsafe inflateEnd(&stream) }
    return try unsafe compressed.withBytes { (input) throws(FormatError) in
      try unsafe AlignedBytes(count: byteCount) { (output) throws(FormatError) in
        let status = unsafe Self.inflate(&stream, from: input, to: output)
        guard status == Z_STREAM_END else {
          throw FormatError(
            .malformed, "zip: the member is damaged, or of other sizes than the archive tells (status \(status))",
            at: name)
        }
      }
    }
  }

  /// CRC-32 as zip archives have it.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe Int(crc32_z(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
  }

  /// Runs the library, which counts in 32 bits, over any number of bytes.
  ///
  /// - Returns: `Z_STREAM_END` when both ends were reached together; `Z_DATA_ERROR` when the data end elsewhere.
  private static func inflate(
    _ stream: inout z_stream, from input: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer
  ) -> Int32 {
    var (taken, made) = (0, 0)
    let most = 1 << 30
    while true {
      let (source, room) = (min(input.count - taken, most), min(output.count - made, most))
      unsafe stream.next_in = UnsafeMutablePointer(
        mutating: input.baseAddress.map { unsafe ($0 + taken).assumingMemoryBound(to: UInt8.self) })
      unsafe stream.avail_in = UInt32(source)
      // The library wants a place even where it has nothing to write.
      var spare: UInt8 = 0
      let status = unsafe withUnsafeMutablePointer(to: &spare) { spare in
        unsafe stream.next_out =
          output.baseAddress.map { unsafe ($0 + made).assumingMemoryBound(to: UInt8.self) } ?? spare
        unsafe stream.avail_out = UInt32(room)
        return unsafe CZip.inflate(&stream, Z_NO_FLUSH)
      }
      taken += source - Int(unsafe stream.avail_in)
      made += room - Int(unsafe stream.avail_out)
      if status == Z_STREAM_END { return taken == input.count && made == output.count ? status : Z_DATA_ERROR }
      let isStuck = unsafe Int(stream.avail_in) == source && Int(stream.avail_out) == room
      guard status == Z_OK, !isStuck else { return status == Z_OK ? Z_DATA_ERROR : status }
    }
  }
}
