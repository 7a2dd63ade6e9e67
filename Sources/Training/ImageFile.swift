internal import CPNG
internal import CTurboJPEG
import NNFormat

/// A decoded image: rows of pixels, 8 bits a channel.
struct DecodedImage {
  let width: Int
  let height: Int
  let channels: Int
  let pixels: [UInt8]

  /// Pixels beyond which an image is refused.
  private static let limit = 1 << 28

  /// Decodes a PNG or JPEG file, told by its first bytes.
  ///
  /// - Parameter channels: 1 for gray, 3 for red, green and blue.
  /// - Throws: `FormatError` that names the file.
  init(path: String, channels: Int) throws(FormatError) {
    do throws(FormatError) {
      let bytes = try ByteRegion(try MappedFile(path: path)).bytes()
      if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
        self = try Self.png(bytes, channels)
      } else if bytes.starts(with: [0xFF, 0xD8]) {
        self = try Self.jpeg(bytes, channels)
      } else {
        throw FormatError(.unrecognized, "is neither a PNG nor a JPEG image")
      }
    } catch {
      throw error.inFile(path)
    }
  }

  private init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    (self.width, self.height, self.channels, self.pixels) = (width, height, channels, pixels)
  }

  private static func count(_ width: Int, _ height: Int, _ channels: Int) throws(FormatError) -> Int {
    guard width > 0, height > 0, let count = checkedProduct([width, height, channels]), count <= limit else {
      throw FormatError(.limit, "the image of \(width) x \(height) pixels is too large")
    }
    return count
  }

  private static func png(_ bytes: [UInt8], _ channels: Int) throws(FormatError) -> DecodedImage {
    var (width, height): (UInt32, UInt32) = (0, 0)
    var message = [CChar](repeating: 0, count: 64)
    func decode(_ pixels: UnsafeMutablePointer<UInt8>?) -> Int32 {
      unsafe bytes.withUnsafeBytes { buffer in
        unsafe nn_png_decode(buffer.baseAddress, buffer.count, Int32(channels), &width, &height, pixels, &message)
      }
    }
    func failure() -> FormatError {
      let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      return FormatError(.malformed, "the PNG image is damaged: \(text)")
    }
    guard decode(nil) == 0 else { throw failure() }
    let count = try count(Int(width), Int(height), channels)
    var status: Int32 = -1
    let pixels = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      unsafe buffer.initialize(repeating: 0)
      unsafe status = decode(buffer.baseAddress)
      initialized = count
    }
    guard status == 0 else { throw failure() }
    return DecodedImage(width: Int(width), height: Int(height), channels: channels, pixels: pixels)
  }

  private static func jpeg(_ bytes: [UInt8], _ channels: Int) throws(FormatError) -> DecodedImage {
    guard let decoder = unsafe tjInitDecompress() else { throw FormatError(.io, "the JPEG library does not start") }
    defer { unsafe _ = tjDestroy(decoder) }
    func failure() -> FormatError {
      let text = unsafe tjGetErrorStr2(decoder).map { unsafe String(cString: $0) } ?? ""
      return FormatError(.malformed, "the JPEG image is damaged: \(text)")
    }
    var (width, height, sampling, space): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    let header = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe tjDecompressHeader3(decoder, buffer.baseAddress, UInt(buffer.count), &width, &height, &sampling, &space)
    }
    guard header == 0 else { throw failure() }
    let count = try count(Int(width), Int(height), channels)
    var status: Int32 = -1
    let format = channels == 1 ? TJPF_GRAY.rawValue : TJPF_RGB.rawValue
    let pixels = unsafe [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      unsafe target.initialize(repeating: 0)
      // The slower, exact transform, which other decoders take by default.
      unsafe status = bytes.withUnsafeBufferPointer { buffer in
        unsafe tjDecompress2(
          decoder, buffer.baseAddress, UInt(buffer.count), target.baseAddress, width, 0, height,
          Int32(format), TJFLAG_ACCURATEDCT)
      }
      initialized = count
    }
    guard status == 0 else { throw failure() }
    return DecodedImage(width: Int(width), height: Int(height), channels: channels, pixels: pixels)
  }

  /// The image in other extents: each pixel blended of the four around the place that its middle falls on, without a wider
  /// filter when it shrinks.
  func resized(width newWidth: Int, height newHeight: Int, into target: UnsafeMutablePointer<Float>) {
    let (columns, rows) = (Self.taps(width, newWidth), Self.taps(height, newHeight))
    for (y, row) in rows.enumerated() {
      for (x, column) in columns.enumerated() {
        for channel in 0..<channels {
          func pixel(_ row: Int, _ column: Int) -> Float {
            Float(pixels[(row * width + column) * channels + channel])
          }
          let top =
            pixel(row.low, column.low) + (pixel(row.low, column.high) - pixel(row.low, column.low)) * column.share
          let bottom =
            pixel(row.high, column.low) + (pixel(row.high, column.high) - pixel(row.high, column.low)) * column.share
          unsafe target[(y * newWidth + x) * channels + channel] = top + (bottom - top) * row.share
        }
      }
    }
  }

  private static func taps(_ old: Int, _ new: Int) -> [(low: Int, high: Int, share: Float)] {
    let scale = Float(old) / Float(new)
    return (0..<new).map { place in
      let middle = (Float(place) + 0.5) * scale - 0.5
      let low = middle.rounded(.down)
      return (max(Int(low), 0), min(Int(low) + 1, old - 1), middle - low)
    }
  }
}
