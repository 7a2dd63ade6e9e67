import NNFormat

/// A network whose parameters change: the graph as steps, with what training does at each node.
///
/// Shared by the programs for different numbers of rows, so that they work on the same parameters.
@safe final class TrainingGraph {
  struct TrainingNode {
    let draft: DraftNode
    let step: any Step
    let rule: GradientRule?
    let behaviour: TrainingBehaviour
    /// The parameter that the optimizer changes while its gradient is computed.
    var fusedParameter: Int?
  }

  let draft: Draft
  let nodes: [TrainingNode]
  let memory: ParameterMemory
  /// For each value the parameter or the statistic that it is.
  let parameterOfValue: [Int?]
  let statisticOfValue: [Int?]
  /// For each value whether its gradient matters.
  let needsGradient: [Bool]
  let options: EngineOptions
  let pool: ThreadPool
  let seed: UInt64
  let model: Model
  let activityPenalties: [(value: Int, penalty: Penalty)]
  let heads: [TrainingHead]
  let figures: [ReportedFigure]
  /// For each parameter whether the optimizer changes it while its gradient is computed.
  let isFused: [Bool]

  init(_ model: Model, _ settings: TrainingSettings, options: EngineOptions) throws(EngineError) {
    self.model = model
    self.options = options
    seed = settings.seed
    pool = options.threads.map { .shared(limit: max($0, 1)) } ?? .shared
    var draft = try GraphReader.read(model)
    let names = Dictionary(draft.values.enumerated().map { ($1.name, $0) }) { first, _ in first }
    let tensors = Dictionary(model.graph.initializers.map { ($0.name, $0.tensor) }) { first, _ in first }
    let statistics = Self.statistics(of: draft)
    var parameters = settings.parameters ?? Self.allParameters(of: draft, model, except: statistics)
    // Without constants, what depends on a parameter is not folded.
    var held: [(value: Int, constant: Constant?)] = []
    for name in parameters.map(\.name) + statistics {
      guard let value = names[name] else {
        throw EngineError(.invalidInput, "the graph has no initializer \"\(name)\"")
      }
      held.append((value, draft.values[value].constant))
      draft.values[value].constant = nil
    }
    try ConstantFolding.apply(to: &draft, options: options, pool: pool)
    draft.removeDeadNodes()
    guard draft.otherInputs.isEmpty else {
      throw EngineError(.unsupported, "the network has inputs that are no tensors")
    }
    if settings.parameters == nil {
      let read = Set(draft.nodes.flatMap { $0.inputs.compactMap { $0 } })
      parameters = parameters.filter { names[$0.name].map { read.contains($0) } ?? false }
    }
    var list: [(TrainableParameter, Tensor)] = []
    for parameter in parameters {
      guard let tensor = tensors[parameter.name] else {
        throw EngineError(.invalidInput, "the graph has no initializer \"\(parameter.name)\"")
      }
      list.append((parameter, tensor))
    }
    let kept = statistics.filter { name in !parameters.contains { $0.name == name } }
    let layouts = Self.layouts(of: draft, list, names, settings)
    memory = try ParameterMemory(
      list, layouts: list.map { names[$0.0.name].flatMap { layouts[$0] } },
      statistics: kept.compactMap { name in tensors[name].map { (name, $0) } }, optimizer: settings.optimizer)
    var parameterOfValue = [Int?](repeating: nil, count: draft.values.count)
    var statisticOfValue = parameterOfValue
    for (index, parameter) in parameters.enumerated() {
      if let value = names[parameter.name] { parameterOfValue[value] = index }
    }
    for (index, statistic) in memory.statistics.enumerated() {
      if let value = names[statistic.name] { statisticOfValue[value] = index }
    }
    self.parameterOfValue = parameterOfValue
    self.statisticOfValue = statisticOfValue
    needsGradient = Self.reached(draft, from: Set(parameterOfValue.indices.filter { parameterOfValue[$0] != nil }))
    let heads = try TrainingHead.all(of: draft, model, settings)
    self.heads = heads
    figures = ReportedFigure.all(of: heads)
    var penalties: [(Int, Penalty)] = []
    for (name, penalty) in settings.activityPenalties.sorted(by: { $0.key < $1.key }) {
      guard let value = names[name] else { throw EngineError(.invalidInput, "the graph has no value \"\(name)\"") }
      penalties.append((value, penalty))
    }
    activityPenalties = penalties
    let isFused = Self.fusedParameters(memory, draft, parameterOfValue, settings.optimizer)
    self.isFused = isFused
    nodes = try Self.nodes(
      of: draft, settings, pool, layouts,
      rectified: PackedProduct.rectified(
        draft, kept: Set(penalties.map(\.0) + heads.flatMap { [$0.outputValue, $0.lossValue] } + draft.outputs)),
      fused: parameterOfValue.map { index in index.flatMap { isFused[$0] ? $0 : nil } })
    self.draft = draft
    guard heads.contains(where: { needsGradient[$0.outputValue] }) else {
      throw EngineError(.invalidInput, "no parameter that may change has an influence on the output")
    }
  }

  private static func nodes(
    of draft: Draft, _ settings: TrainingSettings, _ pool: ThreadPool, _ layouts: [Int: PanelLayout],
    rectified: Set<Int>, fused: [Int?]
  ) throws(EngineError) -> [TrainingNode] {
    var nodes: [TrainingNode] = []
    var passing: Set<Int> = []
    for (index, node) in draft.nodes.enumerated() {
      if node.inputs.count > 1, let weights = node.inputs[1], let layout = layouts[weights] {
        let product = PackedProduct(
          layout: layout, hasBias: node.inputs.count > 2 && node.inputs[2] != nil,
          rectifies: rectified.contains(index))
        if product.rectifies, case let output?? = node.outputs.first { passing.insert(output) }
        nodes.append(
          TrainingNode(
            draft: node, step: PackedProductStep(product: product), rule: product.rule, behaviour: TrainingBehaviour(),
            fusedParameter: fused[weights]))
        continue
      }
      let isPassing = node.isOperator("Relu") && node.inputs.contains { $0.map(passing.contains) ?? false }
      let step: any Step = isPassing ? PassingStep() : try StepFactory.step(for: node, in: draft, pool: pool)
      var behaviour = settings.behaviours[node.origin.name] ?? TrainingBehaviour()
      if node.isOperator("BatchNormalization"), settings.behaviours[node.origin.name] == nil {
        behaviour.statisticsMomentum = settings.statisticsMomentum
      }
      nodes.append(
        TrainingNode(
          draft: node, step: step,
          rule: GradientTable.rule(node.origin.operatorType, domain: node.origin.domain), behaviour: behaviour))
    }
    return nodes
  }

  /// The parameters that are kept in the order of panels, by value.
  private static func layouts(
    of draft: Draft, _ list: [(TrainableParameter, Tensor)], _ names: [String: Int], _ settings: TrainingSettings
  ) -> [Int: PanelLayout] {
    // Divides by an accumulator, which is zero in the padding.
    if case .ftrl = settings.optimizer.rule { return [:] }
    var shapes: [Int: [Int]] = [:]
    var all: [Int: [Int]] = [:]
    for (parameter, tensor) in list {
      guard let value = names[parameter.name] else { continue }
      all[value] = tensor.shape
      if parameter.constraint == nil || parameter.constraint == .nonNegative { shapes[value] = tensor.shape }
    }
    return PackedProduct.layouts(of: draft, shapes: shapes, all: all)
  }

  /// A parameter's gradient need not be seen as a whole when one node makes it and nothing but the rule uses it.
  private static func fusedParameters(
    _ memory: ParameterMemory, _ draft: Draft, _ parameterOfValue: [Int?], _ optimizer: Optimizer
  ) -> [Bool] {
    var uses = [Int](repeating: 0, count: memory.parameters.count)
    for node in draft.nodes {
      for case let input? in node.inputs { if let index = parameterOfValue[input] { uses[index] += 1 } }
    }
    let isLocal =
      switch optimizer.clipping {
      case .none, .value: optimizer.accumulationSteps == 1
      case .norm, .globalNorm: false
      }
    return memory.parameters.enumerated().map { index, parameter in
      isLocal && uses[index] == 1 && parameter.layout != nil && parameter.penalty == nil && parameter.constraint == nil
    }
  }

  /// The values that depend on others.
  private static func reached(_ draft: Draft, from start: Set<Int>) -> [Bool] {
    var reached = [Bool](repeating: false, count: draft.values.count)
    for value in start { reached[value] = true }
    for node in draft.nodes where node.inputs.contains(where: { $0.map { reached[$0] } ?? false }) {
      for case let output? in node.outputs where draft.values[output].elementType == .float32 { reached[output] = true }
    }
    return reached
  }

  /// The running statistics among the initializers.
  private static func statistics(of draft: Draft) -> [String] {
    var names: [String] = []
    for node in draft.nodes where node.isOperator("BatchNormalization") {
      for case let input? in node.inputs.dropFirst(3).prefix(2) where draft.values[input].constant != nil {
        let name = draft.values[input].name
        if !names.contains(name) { names.append(name) }
      }
    }
    return names
  }

  /// Initializers that are weights by the look of them: float32, more than one element, and not a running statistic.
  private static func allParameters(of draft: Draft, _ model: Model, except statistics: [String])
    -> [TrainableParameter]
  {
    model.graph.initializers.filter { initializer in
      initializer.tensor.elementType == .float32 && !initializer.tensor.shape.isEmpty && initializer.tensor.count > 1
        && !statistics.contains(initializer.name)
    }.map { TrainableParameter($0.name) }
  }
}
