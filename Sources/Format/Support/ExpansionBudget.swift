/// What the parts of one file may decode to together: many parts get no more than one would.
package final class ExpansionBudget: Sendable {
  private struct State {
    var parts: Set<String> = []
    var byteCount = 0
  }

  private let fileByteCount: Int
  private let state = Locked(State())

  /// - Parameter fileByteCount: what all the parts are stored in.
  package init(fileByteCount: Int) { self.fileByteCount = fileByteCount }

  /// Lets a part be decoded; one that was allowed before is not counted again.
  ///
  /// - Throws: `FormatError` of kind `limit` when the parts would be out of proportion to the file.
  package func grant(_ byteCount: Int, to part: String, _ limits: ReadLimits) throws(FormatError) {
    try state.withLock { (state) throws(FormatError) in
      guard !state.parts.contains(part) else { return }
      let (total, isOver) = state.byteCount.addingReportingOverflow(byteCount)
      guard !isOver, limits.allowsExpansion(stored: fileByteCount, declared: total) else {
        throw FormatError(
          .limit,
          "\(byteCount) more bytes would be decoded, after \(state.byteCount), from a file of \(fileByteCount) bytes",
          at: part, advice: "--limit ratio=N allows more where the file is trusted")
      }
      state.parts.insert(part)
      state.byteCount = total
    }
  }
}
