/// Tells ONNX models from other files. Protobuf has no signature, so the outermost fields have to fit.
enum ONNXSignature {
  /// The wire type of each field of `ModelProto`.
  private static let fields: [UInt32: WireType] = [
    1: .varint, 2: .lengthDelimited, 3: .lengthDelimited, 4: .lengthDelimited, 5: .varint, 6: .lengthDelimited,
    7: .lengthDelimited, 8: .lengthDelimited, 14: .lengthDelimited, 20: .lengthDelimited, 25: .lengthDelimited,
    26: .lengthDelimited,
  ]
  private static let graph: UInt32 = 7
  private static let largestIRVersion = 1000

  /// Whether a file is an ONNX model or the beginning of one.
  ///
  /// A complete file needs a graph, and no field that contradicts; one that is cut short needs an IR version in front.
  static func matches(_ file: ByteRegion) -> Bool {
    let isMatch = try? unsafe file.withBytes { bytes in
      var reader = unsafe WireReader(bytes)
      return matches(&reader)
    }
    return isMatch ?? false
  }

  private static func matches(_ reader: inout WireReader) -> Bool {
    var seen: Set<UInt32> = []
    do throws(FormatError) {
      while !reader.isAtEnd {
        let (field, type) = try reader.tag()
        if let expected = fields[field] {
          guard type == expected else { return false }
        } else if seen.isEmpty {
          return false
        }
        if field == 1 {
          guard try reader.varint() <= UInt64(largestIRVersion) else { return false }
        } else if type == .lengthDelimited {
          seen.insert(field)
          try reader.skip(type)
          continue
        } else {
          try reader.skip(type)
        }
        seen.insert(field)
      }
      return seen.contains(graph)
    } catch {
      return error.kind == .truncated && seen.contains(1) && seen.count > 1
    }
  }
}
