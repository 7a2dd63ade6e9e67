import NNFormat

/// The attributes of a rotary embedding.
struct RotaryForm: Sendable {
  /// Whether pairs are neighbours, instead of halves apart.
  let isInterleaved: Bool
  /// The heads of a value of rank 3.
  let heads: Int
  /// How many elements at the front of a row turn; 0 for all.
  let rotated: Int
  /// Whether input 3 says which row of the tables holds for each place; else they have one for each place themselves.
  let hasPositions: Bool
}

/// Pairs of elements of each row, turned by angles whose cosines and sines are inputs 1 and 2.
struct RotaryStep<T: RealScalar>: Step {
  let form: RotaryForm

  var outputTypes: [ElementType] { [T.elementType] }
  var kernel: String { "rotaryEmbedding" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let layout = try HeadLayout(shape, heads: form.heads)
    let table = try inputs.shape(1)
    let rotated = form.rotated == 0 ? layout.size : form.rotated
    let places = [layout.batch, layout.rows]
    let half = rotated / 2
    let positions = form.hasPositions ? try inputs.shape(3) : places
    guard rotated <= layout.size, rotated % 2 == 0, try inputs.shape(2) == table, table.last == half,
      form.hasPositions ? table.count == 2 : Array(table.dropLast()) == places,
      positions == places
    else {
      throw EngineError(
        .shapeMismatch, "tables of shape \(Shape(table)) do not turn \(rotated) elements of \(Shape(shape))")
    }
    let tableCount = try Extents.count(table)
    let form = form
    return Work([shape]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: layout.count)
      let target = memory.output(0, T.self, count: layout.count)
      let cosines = memory.input(1, T.self, count: tableCount)
      let sines = memory.input(2, T.self, count: tableCount)
      for batch in 0..<layout.batch {
        for row in 0..<layout.rows {
          var line = batch * layout.rows + row
          if form.hasPositions {
            line = try memory.indices(3, .int64, count: layout.batch * layout.rows).place(line, in: table[0])
          }
          for head in 0..<layout.heads {
            let start = layout.start(batch, head, row)
            for pair in 0..<half {
              let first = start + (form.isInterleaved ? 2 * pair : pair)
              let second = form.isInterleaved ? first + 1 : first + half
              let (cosine, sine) = (cosines[line * half + pair], sines[line * half + pair])
              let (x, y) = (source[first], source[second])
              target[first] = cosine * x - sine * y
              target[second] = sine * x + cosine * y
            }
            for index in rotated..<max(layout.size, rotated) { target[start + index] = source[start + index] }
          }
        }
      }
    }
  }
}
