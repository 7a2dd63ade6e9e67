import OrderedCollections

/// Optimizers as Keras states them in compile settings, and back.
enum OptimizerConfiguration {
  /// The optimizer of compile settings in either spelling.
  ///
  /// - Throws: `FormatError` of kind `unsupported` for one that is not known, or for what it is asked beyond.
  static func optimizer(_ json: JSONValue) throws(FormatError) -> Optimizer {
    let className = json.string ?? json["class_name"]?.string ?? ""
    let configuration = json["config"] ?? [:]
    let name = (className.split(separator: ">").last.map(String.init) ?? className).lowercased()
    let (rule, rate) = try rule(named: name, configuration)
    if let value = configuration["loss_scale_factor"], !value.isNull {
      throw FormatError(.unsupported, "the optimizer's loss_scale_factor is not known to training")
    }
    var result = Optimizer(rule, learningRate: .constant(rate))
    if configuration["use_ema"]?.bool == true {
      result.averaging = Optimizer.Averaging(
        momentum: configuration["ema_momentum"]?.float ?? 0.99,
        overwriteFrequency: configuration["ema_overwrite_frequency"]?.int)
    }
    result.accumulationSteps = max(configuration["gradient_accumulation_steps"]?.int ?? 1, 1)
    if let stated = configuration["learning_rate"] ?? configuration["lr"], !stated.isNull {
      result.learningRate = try ScheduleConfiguration.schedule(stated)
    }
    result.weightDecay = configuration["weight_decay"]?.float ?? (name == "adamw" ? 0.004 : nil)
    if let limit = configuration["clipnorm"]?.float, limit > 0 {
      result.clipping = .norm(limit)
    } else if let limit = configuration["global_clipnorm"]?.float, limit > 0 {
      result.clipping = .globalNorm(limit)
    } else if let limit = configuration["clipvalue"]?.float, limit > 0 {
      result.clipping = .value(limit)
    }
    return result
  }

  private static func rule(
    named name: String, _ json: JSONValue
  ) throws(FormatError) -> (Optimizer.Rule, learningRate: Double) {
    func number(_ key: String, _ fallback: Double) -> Double { json[key]?.double ?? fallback }
    let epsilon = Float(number("epsilon", 1e-7))
    switch name {
    case "sgd":
      return (.sgd(momentum: Float(number("momentum", 0)), nesterov: json["nesterov"]?.bool ?? false), 0.01)
    case "rmsprop":
      return (
        .rmsprop(
          rho: number("rho", 0.9), momentum: Float(number("momentum", 0)), epsilon: epsilon,
          centered: json["centered"]?.bool ?? false), 0.001
      )
    case "adam", "adamw":
      return (
        .adam(
          beta1: number("beta_1", 0.9), beta2: number("beta_2", 0.999), epsilon: epsilon,
          amsgrad: json["amsgrad"]?.bool ?? false), 0.001
      )
    case "adamax":
      return (.adamax(beta1: number("beta_1", 0.9), beta2: number("beta_2", 0.999), epsilon: epsilon), 0.001)
    case "nadam":
      return (.nadam(beta1: number("beta_1", 0.9), beta2: number("beta_2", 0.999), epsilon: epsilon), 0.001)
    case "adagrad":
      return (.adagrad(initialAccumulator: Float(number("initial_accumulator_value", 0.1)), epsilon: epsilon), 0.001)
    case "adadelta": return (.adadelta(rho: number("rho", 0.95), epsilon: epsilon), 0.001)
    case "lion": return (.lion(beta1: number("beta_1", 0.9), beta2: number("beta_2", 0.99)), 0.001)
    case "ftrl":
      guard number("learning_rate_power", -0.5) == -0.5 else {
        throw FormatError(.unsupported, "Ftrl is known to training with a learning_rate_power of -0.5 only")
      }
      return (
        .ftrl(
          initialAccumulator: Float(number("initial_accumulator_value", 0.1)),
          l1: Float(number("l1_regularization_strength", 0)), l2: Float(number("l2_regularization_strength", 0)),
          shrinkage: Float(number("l2_shrinkage_regularization_strength", 0)), beta: Float(number("beta", 0))), 0.001
      )
    default: throw FormatError(.unsupported, "the optimizer \"\(name)\" is not known to training")
    }
  }

  /// The spelling of archives.
  static func json(_ optimizer: Optimizer) -> JSONValue {
    var members: OrderedDictionary<String, JSONValue> = [:]
    let (className, numbers) = parts(optimizer)
    members["name"] = .string(KerasConfigurationParser.snakeCase(className).replacing("_", with: ""))
    if className == "SGD" { members["name"] = "SGD" }
    members["learning_rate"] = ScheduleConfiguration.json(optimizer.learningRate)
    members["weight_decay"] = optimizer.weightDecay.map(number) ?? .null
    for key in ["clipnorm", "global_clipnorm", "clipvalue"] { members[key] = .null }
    switch optimizer.clipping {
    case .none: break
    case .norm(let limit): members["clipnorm"] = number(limit)
    case .globalNorm(let limit): members["global_clipnorm"] = number(limit)
    case .value(let limit): members["clipvalue"] = number(limit)
    }
    members["use_ema"] = .bool(optimizer.averaging != nil)
    members["ema_momentum"] = number(optimizer.averaging?.momentum ?? 0.99)
    members["ema_overwrite_frequency"] = optimizer.averaging?.overwriteFrequency.map { .int($0) } ?? .null
    members["loss_scale_factor"] = .null
    members["gradient_accumulation_steps"] =
      optimizer.accumulationSteps > 1 ? .int(optimizer.accumulationSteps) : .null
    members.merge(numbers) { _, new in new }
    return [
      "module": "keras.optimizers", "class_name": .string(className), "config": .object(members),
      "registered_name": .null,
    ]
  }

  /// The shortest text of a single-precision number.
  private static func number(_ value: Float) -> JSONValue { .number("\(value)") }

  private static func parts(_ optimizer: Optimizer) -> (String, OrderedDictionary<String, JSONValue>) {
    switch optimizer.rule {
    case .sgd(let momentum, let nesterov):
      return ("SGD", ["momentum": number(momentum), "nesterov": .bool(nesterov)])
    case .rmsprop(let rho, let momentum, let epsilon, let centered):
      return (
        "RMSprop",
        [
          "rho": .double(rho), "momentum": number(momentum), "epsilon": number(epsilon), "centered": .bool(centered),
        ]
      )
    case .adam(let beta1, let beta2, let epsilon, let amsgrad):
      return (
        optimizer.weightDecay == nil ? "Adam" : "AdamW",
        [
          "beta_1": .double(beta1), "beta_2": .double(beta2), "epsilon": number(epsilon), "amsgrad": .bool(amsgrad),
        ]
      )
    case .adamax(let beta1, let beta2, let epsilon): return ("Adamax", betas(beta1, beta2, epsilon))
    case .nadam(let beta1, let beta2, let epsilon): return ("Nadam", betas(beta1, beta2, epsilon))
    case .adagrad(let initial, let epsilon):
      return ("Adagrad", ["initial_accumulator_value": number(initial), "epsilon": number(epsilon)])
    case .adadelta(let rho, let epsilon): return ("Adadelta", ["rho": .double(rho), "epsilon": number(epsilon)])
    case .lion(let beta1, let beta2): return ("Lion", ["beta_1": .double(beta1), "beta_2": .double(beta2)])
    case .ftrl(let initial, let l1, let l2, let shrinkage, let beta):
      return (
        "Ftrl",
        [
          "learning_rate_power": .double(-0.5), "initial_accumulator_value": number(initial),
          "l1_regularization_strength": number(l1), "l2_regularization_strength": number(l2),
          "l2_shrinkage_regularization_strength": number(shrinkage), "beta": number(beta),
        ]
      )
    }
  }

  private static func betas(_ beta1: Double, _ beta2: Double, _ epsilon: Float) -> OrderedDictionary<String, JSONValue>
  {
    ["beta_1": .double(beta1), "beta_2": .double(beta2), "epsilon": number(epsilon)]
  }
}
