extension Tensor {
  /// The tensor in C order and little-endian, from column-major or big-endian bytes under the same shape.
  func rearranged(fromFortranOrder isFortran: Bool, swapped isBigEndian: Bool) throws(FormatError) -> Tensor {
    let width = elementType.byteCount(of: 1) ?? 1
    // Each half of a complex number is swapped by itself.
    let swapWidth = elementType == .complex64 || elementType == .complex128 ? width / 2 : width
    let bytes = try unsafe withBytes { (source) throws(FormatError) in
      try unsafe AlignedBytes(count: source.count) { target in
        var index = [Int](repeating: 0, count: shape.count)
        for position in 0..<count {
          var from = position
          if isFortran {
            from = 0
            for axis in shape.indices.reversed() { from = from * shape[axis] + index[axis] }
          }
          for byte in 0..<width {
            let other = isBigEndian ? byte / swapWidth * swapWidth + (swapWidth - 1 - byte % swapWidth) : byte
            unsafe target[position * width + byte] = unsafe source[from * width + other]
          }
          for axis in shape.indices.reversed() {
            index[axis] += 1
            if index[axis] < shape[axis] { break }
            index[axis] = 0
          }
        }
      }
    }
    return try Tensor(elementType: elementType, shape: shape, storage: .owned(bytes))
  }
}
