/// What the first bytes of a file say it is.
enum FileKind: Sendable {
  case hdf5
  case zip
  case json
  case onnx
  case safetensors
  /// Not a model: what it is instead, and what to do about it.
  case other(String, advice: String?)

  /// Looks at the content; the name of a file plays no part.
  init(of file: ByteRegion) {
    let start = file.prefix(512)
    if start.isEmpty {
      self = .other("is empty", advice: "The program that wrote it may have been stopped; fetch or save it again")
    } else if Self.hdf5Start(in: file) != nil {
      self = .hdf5
    } else if ZipArchive.signatures.contains(where: { start.starts(with: $0) }) {
      self = .zip
    } else if SafetensorsFile.matches(file) {
      self = .safetensors
    } else if let (description, advice) = Self.knownSignature(start) {
      self = .other(description, advice: advice)
    } else if ONNXSignature.matches(file) {
      self = .onnx
    } else if let first = start.first(where: { ![0x20, 0x0A, 0x0D, 0x09].contains($0) }), first == UInt8(ascii: "{") {
      self = .json
    } else if Self.isText(start) {
      let line = String(decoding: start.prefix { $0 != 0x0A && $0 != 0x0D }.prefix(40), as: UTF8.self)
      self = .other("is a text file that begins with \"\(line)\", not a model", advice: nil)
    } else {
      let bytes = start.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(separator: " ")
      self = .other("is of no known model format (it begins with the bytes \(bytes))", advice: nil)
    }
  }

  /// The signature stands at the start or, behind a user block, at 512 bytes or a doubling of that.
  static func hdf5Start(in file: ByteRegion) -> Int? {
    var offset = 0
    let signature = HDF5Index.signature
    while offset <= file.count - signature.count {
      if (try? file.bytes(offset..<offset + signature.count)) == signature { return offset }
      offset = offset == 0 ? 512 : offset * 2
    }
    return nil
  }

  /// Whether bytes begin like a Python pickle of protocol 2 or newer.
  static func isPickle(_ start: [UInt8]) -> Bool { start.count > 1 && start[0] == 0x80 && (2...5).contains(start[1]) }

  private static func isText(_ bytes: [UInt8]) -> Bool {
    bytes.allSatisfy { $0 >= 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
  }

  /// Files that are often taken for models.
  private static func knownSignature(_ start: [UInt8]) -> (String, advice: String?)? {
    let text = String(decoding: start, as: UTF8.self).lowercased().drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    if text.hasPrefix("version https://git-lfs") {
      return ("is a git-lfs pointer, not the model it stands for", "Fetch the model itself with `git lfs pull`")
    }
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") || text.hasPrefix("<head") {
      return ("is a web page (HTML), not a model", "The link leads to a page about the file; download the file itself")
    }
    if text.hasPrefix("<?xml") { return ("is an XML file, not a model", nil) }
    let signatures: [([UInt8], String, String?)] = [
      ([0x1F, 0x8B], "is compressed with gzip", "Unpack it with `gunzip` first"),
      ([0x42, 0x5A, 0x68], "is compressed with bzip2", "Unpack it with `bunzip2` first"),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "is compressed with xz", "Unpack it with `unxz` first"),
      ([0x28, 0xB5, 0x2F, 0xFD], "is compressed with Zstandard", "Unpack it with `unzstd` first"),
      ([0x37, 0x7A, 0xBC, 0xAF], "is a 7-Zip archive", "Unpack it first"),
      (NpyFile.signature, "is a NumPy array (.npy), not a model", nil),
      ([0x89, 0x50, 0x4E, 0x47], "is a PNG image, not a model", nil),
      ([0xFF, 0xD8, 0xFF], "is a JPEG image, not a model", nil),
      (Array("%PDF".utf8), "is a PDF document, not a model", nil),
      ([0x7F, 0x45, 0x4C, 0x46], "is a program (ELF), not a model", nil),
    ]
    if let match = signatures.first(where: { start.starts(with: $0.0) }) { return (match.1, match.2) }
    if start.dropFirst(4).starts(with: Array("TFL3".utf8)) {
      return ("is a TensorFlow Lite model, which is not read", nil)
    }
    if start.dropFirst(257).starts(with: Array("ustar".utf8)) { return ("is a tar archive", "Unpack it first") }
    if isPickle(start) {
      return ("is a Python pickle, which can run code when it is loaded and is never opened", nil)
    }
    return nil
  }
}
