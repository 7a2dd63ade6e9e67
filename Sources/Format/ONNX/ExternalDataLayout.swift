/// Which tensors go into the file beside a model, and where in it.
final class ExternalDataLayout {
  /// Tensors begin at multiples of this, so that they can be mapped.
  static let alignment = 4096
  /// Smaller tensors stay in the model: shape inference of other programs reads them there.
  static let smallestByteCount = 1024

  /// The name of the file, relative to the model's folder.
  let location: String
  private(set) var tensors: [(offset: Int, tensor: Tensor)] = []
  private var end = 0

  init(location: String) { self.location = location }

  /// Gives a tensor its place.
  ///
  /// - Returns: the entries that describe it, or `nil` when the tensor stays in the model.
  func add(_ tensor: Tensor) -> TextDictionary? {
    let byteCount = tensor.byteCount
    guard tensor.elementType != .string, byteCount >= Self.smallestByteCount else { return nil }
    let offset = (end + Self.alignment - 1) / Self.alignment * Self.alignment
    tensors.append((offset, tensor))
    end = offset + byteCount
    return ["location": location, "offset": String(offset), "length": String(byteCount)]
  }
}
