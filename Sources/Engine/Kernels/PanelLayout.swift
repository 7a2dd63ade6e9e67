internal import CKernels

/// The order in which weights of products [depth x columns] are kept while they are trained: the panels that the kernels
/// of `Gemm` read, so that no step has to pack them. Columns past the end are zero.
@safe struct PanelLayout: Sendable, Hashable {
  let depth: Int
  let columns: Int

  private var width: Int { KernelTable.current.gemmColumns }
  private var panelCount: Int { (columns + width - 1) / width }
  /// Values with padding.
  var count: Int { panelCount * width * depth }

  /// Packs row-major values.
  func pack(_ source: UnsafeRawPointer, into panels: UnsafeMutablePointer<Float>) {
    unsafe PanelPacking(
      depth: depth, columns: columns, source: source, stride: columns, isTransposed: false, alpha: 1,
      panels: UnsafeMutableRawPointer(panels), nr: width, form: KernelTable.current.gemmForm(.float32)
    ).run(.shared)
  }

  /// The values in row-major order.
  func unpacked(_ panels: UnsafePointer<Float>) -> [Float] {
    unsafe [Float](unsafeUninitializedCapacity: depth * columns) { buffer, initialized in
      for panel in 0..<panelCount {
        let column = panel * width
        for row in 0..<depth {
          let source = unsafe panels + column * depth + row * width
          for index in 0..<min(width, columns - column) {
            unsafe buffer[row * columns + column + index] = source[index]
          }
        }
      }
      initialized = depth * columns
    }
  }

  /// Packs the transposed matrix [columns x depth] from packed values.
  ///
  /// - Parameter target: room for `transposed.count` values.
  func transpose(_ panels: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, _ pool: ThreadPool) {
    let count = transposed.panelCount
    let estimate = WorkEstimate(nanoseconds: Double(depth) * Double(columns) * 0.5)
    let tasks = max(1, estimate.taskCount(most: count, pool))
    let work = unsafe PanelTransposition(layout: self, source: panels, target: target, panelCount: count, tasks: tasks)
    unsafe withUnsafePointer(to: work) { pointer in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: PanelTransposition.self).pointee.run(task)
      }
    }
  }

  /// The layout of the transposed matrix.
  var transposed: PanelLayout { PanelLayout(depth: columns, columns: depth) }

  /// Packs one panel of the transposed matrix.
  fileprivate func transpose(
    panel: Int, _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>
  ) {
    let form = unsafe KernelTable.current.gemmForm(.float32)
    let first = panel * width
    for column in stride(from: 0, to: columns, by: width) {
      unsafe form.pointee.pack_b(
        min(width, columns - column), min(width, depth - first), source + column * depth + first * width, width, true,
        1, target + first * columns + column * width)
    }
  }
}

/// One transposition, shared between threads by panels.
@unsafe private struct PanelTransposition {
  let layout: PanelLayout
  let source: UnsafePointer<Float>
  let target: UnsafeMutablePointer<Float>
  let panelCount: Int
  let tasks: Int

  func run(_ task: Int) {
    for panel in unsafe panelCount * task / tasks..<panelCount * (task + 1) / tasks {
      unsafe layout.transpose(panel: panel, source, into: target)
    }
  }
}
