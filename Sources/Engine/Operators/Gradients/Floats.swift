/// Float32 elements of a resolved value in the memory of a training run.
///
/// `@safe` because indices follow from the extents that the value was resolved for; builds for debugging check them.
@safe package struct Floats {
  package let base: UnsafeMutablePointer<Float>
  package let count: Int

  @inline(__always) package init(_ base: UnsafeMutableRawPointer, count: Int) {
    unsafe self.base = base.assumingMemoryBound(to: Float.self)
    self.count = count
  }

  @inline(__always) package subscript(index: Int) -> Float {
    get {
      assert(index >= 0 && index < count, "element \(index) of \(count)")
      return unsafe base[index]
    }
    nonmutating set {
      assert(index >= 0 && index < count, "element \(index) of \(count)")
      unsafe base[index] = newValue
    }
  }

  /// Writes one value everywhere.
  package func fill(_ value: Float) { unsafe base.update(repeating: value, count: count) }

  /// Copies as many elements of another value.
  package func copy(_ other: Floats) {
    assert(other.count == count)
    unsafe base.update(from: other.base, count: count)
  }

  /// A part of the elements.
  package func part(_ range: Range<Int>) -> Floats {
    assert(range.lowerBound >= 0 && range.upperBound <= count)
    return unsafe Floats(UnsafeMutableRawPointer(base + range.lowerBound), count: range.count)
  }
}
