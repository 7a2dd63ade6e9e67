import NNFormat

/// A float32 step that serves 16-bit floats: inputs are widened before it, its float32 outputs rounded back after it.
package struct WideningStep: Step {
  private let inner: any Step
  private let inputTypes: [ElementType?]
  private let narrow: ElementType

  package init(_ inner: any Step, inputTypes: [ElementType?], narrow: ElementType) {
    self.inner = inner
    self.inputTypes = inputTypes
    self.narrow = narrow
  }

  package var outputTypes: [ElementType] { inner.outputTypes.map { $0 == .float32 ? narrow : $0 } }
  package var contentInputs: [Int] { inner.contentInputs }
  package var dependsOnlyOnShapes: Bool { inner.dependsOnlyOnShapes }
  package var kernel: String { "\(inner.kernel) in float32" }

  package func prepared(_ pool: ThreadPool) throws(EngineError) -> any Step {
    WideningStep(try inner.prepared(pool), inputTypes: inputTypes, narrow: narrow)
  }

  /// The type that stands for a type while the inner step runs.
  package static func wide(_ type: ElementType) -> ElementType {
    type == .float16 || type == .bfloat16 ? .float32 : type
  }

  package func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let types = inputTypes
    let work = try resolveInner(inputs)
    let inputCount = inputs.count
    let slotCount = inputCount + work.outputShapes.count
    var cursor = unsafe (slotCount * MemoryLayout<UnsafeMutableRawPointer?>.stride + 63) & ~63
    func reserve(_ count: Int) throws(EngineError) -> Int {
      let (bytes, overflow) = count.multipliedReportingOverflow(by: 4)
      guard !overflow, bytes < Int.max / 4 else { throw EngineError(.shapeMismatch, "a value is too large") }
      defer { cursor += (bytes + 63) & ~63 }
      return cursor
    }
    var wideInputs: [Conversion] = []
    for (index, view) in inputs.views.enumerated() {
      guard let view, let type = types[index], WideningStep.wide(type) != type else { continue }
      wideInputs.append(Conversion(slot: index, type: type, offset: try reserve(view.count), count: view.count))
    }
    var wideOutputs: [Conversion] = []
    for (index, type) in inner.outputTypes.enumerated() where type == .float32 {
      guard index < work.outputShapes.count else { continue }
      let count = work.outputShapes[index].reduce(1, *)
      wideOutputs.append(Conversion(slot: index, type: narrow, offset: try reserve(count), count: count))
    }
    let innerScratch = cursor
    let run = work.run
    let outputCount = work.outputShapes.count
    return Work(work.outputShapes, scratchByteCount: cursor + work.scratchByteCount, cost: work.cost) {
      (memory) throws(EngineError) in
      let scratch = unsafe memory.scratch
      let slots = unsafe scratch.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
      for slot in 0..<inputCount { unsafe slots[slot] = memory.optionalInput(slot) }
      for slot in 0..<outputCount { unsafe slots[inputCount + slot] = memory.optionalOutput(slot) }
      for conversion in wideInputs {
        unsafe conversion.widen(from: memory.input(conversion.slot), into: scratch)
        unsafe slots[conversion.slot] = scratch + conversion.offset
      }
      for conversion in wideOutputs where unsafe slots[inputCount + conversion.slot] != nil {
        unsafe slots[inputCount + conversion.slot] = scratch + conversion.offset
      }
      try unsafe run(
        StepMemory(
          slots: UnsafePointer(slots), inputCount: inputCount, outputCount: outputCount,
          scratch: scratch + innerScratch, pool: memory.pool, strings: memory.strings))
      for conversion in wideOutputs {
        guard let output = unsafe memory.optionalOutput(conversion.slot) else { continue }
        unsafe conversion.narrow(from: scratch, into: output)
      }
    }
  }
}

extension WideningStep {
  /// Resolves the inner step, which sees float32 elements where it needs any.
  private func resolveInner(_ inputs: StepInputs) throws(EngineError) -> Work {
    var wideContents: [RawMemory] = []
    var views = inputs.views
    for (index, view) in views.enumerated() {
      guard let view, WideningStep.wide(view.elementType) != view.elementType else { continue }
      var contents: UnsafeRawPointer?
      if inner.contentInputs.contains(index), let narrow = unsafe view.contents {
        guard let byteCount = ElementType.float32.carriedByteCount(of: view.count) else {
          throw EngineError(.shapeMismatch, "a value is too large")
        }
        let memory = try RawMemory(byteCount: byteCount)
        let conversion = Conversion(slot: index, type: view.elementType, offset: 0, count: view.count)
        unsafe conversion.widen(from: narrow, into: memory.base)
        unsafe contents = UnsafeRawPointer(memory.base)
        wideContents.append(memory)
      }
      views[index] = unsafe InputView(elementType: .float32, shape: view.shape, contents: contents)
    }
    defer { withExtendedLifetime(wideContents) {} }
    return try inner.resolve(StepInputs(views))
  }
}

/// One value that changes its width, and where its float32 form lies in scratch.
private struct Conversion {
  let slot: Int
  let type: ElementType
  let offset: Int
  let count: Int

  func widen(from source: UnsafeRawPointer, into scratch: UnsafeMutableRawPointer) {
    let target = unsafe (scratch + offset).assumingMemoryBound(to: Float.self)
    let bits = unsafe source.assumingMemoryBound(to: UInt16.self)
    if type == .float16 {
      for index in 0..<count { unsafe target[index] = Float(Float16(bitPattern: bits[index])) }
    } else {
      for index in 0..<count { unsafe target[index] = Float(bitPattern: UInt32(bits[index]) << 16) }
    }
  }

  func narrow(from scratch: UnsafeMutableRawPointer, into target: UnsafeMutableRawPointer) {
    let source = unsafe (scratch + offset).assumingMemoryBound(to: Float.self)
    let bits = unsafe target.assumingMemoryBound(to: UInt16.self)
    if type == .float16 {
      for index in 0..<count { unsafe bits[index] = Float16(source[index]).bitPattern }
    } else {
      for index in 0..<count { unsafe bits[index] = source[index].bfloat16Bits }
    }
  }
}

extension Float {
  /// The nearest bfloat16, ties to even; a NaN stays one.
  package var bfloat16Bits: UInt16 {
    if isNaN { return UInt16(truncatingIfNeeded: bitPattern >> 16) | 0x40 }
    let rounding = 0x7FFF + (bitPattern >> 16 & 1)
    return UInt16(truncatingIfNeeded: (bitPattern &+ rounding) >> 16)
  }
}

extension Constant {
  /// The same constant in float32 when it is a 16-bit float.
  package func widened() throws(EngineError) -> Constant {
    guard WideningStep.wide(elementType) != elementType else { return self }
    let values = (doubles ?? []).map { Float($0) }
    return try Constant(Tensor(values, shape: shape))
  }
}
