import NNFormat

/// A reader, or several of one kind of content, that takes any bytes: the entry points of fuzzing.
///
/// The program that `scripts/fuzz` builds calls them with what libFuzzer makes up, and an ordinary test with every file of
/// `Fuzz/corpus`.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// The protobuf scanner and the ONNX codec: what was decoded is encoded and decoded again.
  case onnx
  /// What is done with a decoded graph: validation, shape inference, reports, other operator sets, layers.
  case graph
  /// Serialised tensors (`TensorProto`).
  case tensor
  /// JSON, and Keras configurations from parsing to the graph, with what they say of training.
  case keras
  /// The check of what the confined process says of an HDF5 file; libhdf5 itself is not fuzzed, it is confined.
  case index
  /// Zip archives.
  case zip
  /// `.npy`, `.npz`, and the pickles of Keras's npz weights.
  case npy
  case safetensors
  /// Tables of numbers and of text.
  case csv

  /// Hands the bytes to the readers. Refusing them is as good as reading them.
  ///
  /// - Throws: `Contradiction` when what was read does not hold together.
  package func run(_ bytes: [UInt8]) throws(Contradiction) {
    do {
      let region = ByteRegion(AlignedBytes(copying: bytes), name: "input")
      switch self {
      case .onnx: try Self.codec(region)
      case .graph: try Self.graph(region)
      case .tensor: try Self.tensor(region)
      case .keras: try Self.keras(bytes)
      case .index: try Self.index(bytes)
      case .zip: try Self.zip(region)
      case .npy: try Self.arrays(bytes, region)
      case .safetensors: try Self.safetensors(region)
      case .csv: try Self.table(bytes)
      }
    } catch let contradiction as Contradiction {
      throw contradiction
    } catch {
      // Every refusal is one line that a terminal can show.
      if "\(error)".contains(where: \.isNewline) { throw Contradiction("an error of several lines: \(error)") }
    }
  }
}

/// Two results that have to agree and do not.
package struct Contradiction: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }

  /// Requires a property of what was read.
  static func unless(_ isTrue: Bool, _ description: @autoclosure () -> String) throws(Contradiction) {
    if !isTrue { throw Contradiction(description()) }
  }
}

extension ByteRegion {
  /// Bytes in memory as a file would be.
  init(_ bytes: [UInt8]) { self.init(AlignedBytes(copying: bytes), name: "again") }
}
