/// The rules that merge several operators into one step, one rule a file.
///
/// A rule rewrites the draft and may leave nodes behind whose results nobody reads.
package enum Fusion {
  /// Applies the rules in the order in which they build on each other.
  package static func apply(to draft: inout Draft, pool: ThreadPool) throws(EngineError) {
    try removeCopies(&draft)
    try fuseSilu(&draft)
    try fuseDense(&draft, pool)
    draft.removeDeadNodes()
    try fuseAffine(&draft)
    draft.removeDeadNodes()
    try foldNormalization(&draft)
    draft.removeDeadNodes()
    try fuseBias(&draft)
    draft.removeDeadNodes()
    try foldNormalization(&draft)
    draft.removeDeadNodes()
    try fuseActivation(&draft)
    draft.removeDeadNodes()
  }
}

extension Draft {
  /// The only node that reads a value, when there is exactly one reader and the value is no output of the graph.
  package func soleReader(of value: Int?, _ consumers: [[Int]]) -> Int? {
    guard let value, consumers[value].count == 1, !outputs.contains(value) else { return nil }
    return consumers[value][0]
  }
}
