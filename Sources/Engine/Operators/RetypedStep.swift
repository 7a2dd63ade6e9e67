import NNFormat

/// A step over carried elements whose outputs are declared as the types that the elements stand for, such as bytes that are
/// booleans.
package struct RetypedStep: Step {
  package let outputTypes: [ElementType]
  private let inner: any Step

  package init(_ outputTypes: [ElementType], _ inner: any Step) {
    self.outputTypes = outputTypes
    self.inner = inner
  }

  package var contentInputs: [Int] { inner.contentInputs }
  package var dependsOnlyOnShapes: Bool { inner.dependsOnlyOnShapes }
  package var kernel: String { inner.kernel }
  package func resolve(_ inputs: StepInputs) throws(EngineError) -> Work { try inner.resolve(inputs) }
}
