/// The elements of a step's input, checked on access.
@safe package struct Elements<Scalar: BitwiseCopyable> {
  package let base: UnsafePointer<Scalar>
  package let count: Int

  @inline(__always) package init(base: UnsafePointer<Scalar>, count: Int) {
    unsafe self.base = base
    self.count = count
  }

  @inline(__always) package subscript(index: Int) -> Scalar {
    precondition(index >= 0 && index < count, "element \(index) of \(count)")
    return unsafe base[index]
  }
}

/// The elements of a step's output, checked on access.
@safe package struct MutableElements<Scalar: BitwiseCopyable> {
  package let base: UnsafeMutablePointer<Scalar>
  package let count: Int

  @inline(__always) package init(base: UnsafeMutablePointer<Scalar>, count: Int) {
    unsafe self.base = base
    self.count = count
  }

  @inline(__always) package subscript(index: Int) -> Scalar {
    get {
      precondition(index >= 0 && index < count, "element \(index) of \(count)")
      return unsafe base[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count, "element \(index) of \(count)")
      unsafe base[index] = newValue
    }
  }
}
