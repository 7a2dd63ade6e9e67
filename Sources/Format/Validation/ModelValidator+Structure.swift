/// Names and order: every value has one producer, which stands before its readers.
extension ModelValidator {
  /// Checks a body and the graphs inside of it.
  ///
  /// - Returns: Whether values can be followed from node to node in the order given.
  mutating func check(_ body: ValidatedBody, in scope: ValidationScope) -> Bool {
    let before = errorCount
    let producers = checkDefinitions(body, in: scope)
    checkOrder(body, producers, in: scope)
    let names = body.definedNames
    var outputs: Set<String> = []
    for name in body.outputs {
      let place = "\(scope.place)output \"\(name)\""
      if !outputs.insert(name).inserted {
        add(.error, "duplicate-output", "it is listed twice", at: place)
      } else if !names.contains(name), !scope.outer.contains(where: { $0.contains(name) }) {
        add(.error, "missing-output", "nothing produces it", at: place)
      }
    }
    let isSound = errorCount == before
    var nodeNames: Set<String> = []
    for (index, node) in body.nodes.enumerated() {
      let place = scope.place(of: node, index)
      if !node.name.isEmpty, !nodeNames.insert(node.name).inserted {
        add(.warning, "duplicate-node-name", "another node has the same name", at: place)
      }
      check(node, at: place, in: scope)
      for inner in body.nested(in: index) {
        _ = check(inner.body, in: scope.nested(inner.name, at: place, sees: names))
      }
    }
    return isSound
  }

  /// - Returns: For each value that a node makes, the node.
  private mutating func checkDefinitions(_ body: ValidatedBody, in scope: ValidationScope) -> [String: Int] {
    for (role, names) in [("input", body.inputs), ("initializer", body.constants)] {
      var seen: Set<String> = []
      for (index, name) in names.enumerated() {
        if name.isEmpty {
          add(.error, "unnamed-\(role)", "it has no name", at: "\(scope.place)\(role) \(index)")
        } else if !seen.insert(name).inserted {
          add(.error, "duplicate-\(role)", "there are two of this name", at: "\(scope.place)\(role) \"\(name)\"")
        }
      }
    }
    let given = Set(body.inputs).union(body.constants)
    var producers: [String: Int] = [:]
    for (index, node) in body.nodes.enumerated() {
      for name in node.outputs where !name.isEmpty {
        let place = scope.place(of: node, index)
        if let other = producers[name] {
          let first = scope.place(of: body.nodes[other], other)
          add(.error, "duplicate-producer", "its output \"\(name)\" is also one of \(first)", at: place)
        } else if given.contains(name) {
          add(.error, "duplicate-producer", "its output \"\(name)\" is also an input or initializer", at: place)
        } else if scope.outer.contains(where: { $0.contains(name) }) {
          add(.error, "duplicate-producer", "its output \"\(name)\" is also a value of the graph around it", at: place)
        }
        if producers[name] == nil { producers[name] = index }
      }
    }
    return producers
  }

  private mutating func checkOrder(
    _ body: ValidatedBody, _ producers: [String: Int], in scope: ValidationScope
  ) {
    let given = Set(body.inputs).union(body.constants)
    var late: [(reader: Int, name: String)] = []
    var dependencies: [[Int]] = []
    for (index, node) in body.nodes.enumerated() {
      let own = Set(node.inputs)
      var needed: [Int] = []
      for name in body.readNames(of: index).sorted() where !given.contains(name) {
        if let producer = producers[name] {
          needed.append(producer)
          if producer >= index { late.append((index, name)) }
        } else if own.contains(name), !scope.outer.contains(where: { $0.contains(name) }) {
          let place = scope.place(of: node, index)
          add(.error, "undefined-value", "nothing produces its input \"\(name)\"", at: place)
        }
      }
      dependencies.append(needed)
    }
    guard !late.isEmpty else { return }
    let cyclic = DependencyCycle.find(dependencies)
    if let first = cyclic.first {
      let names = (cyclic + [first]).prefix(8).map { body.nodes[$0].label }.joined(separator: ", ")
      add(
        .error, "cycle", "it waits for its own output, through \(names)\(cyclic.count > 7 ? " ..." : "")",
        at: scope.place(of: body.nodes[first], first))
    }
    let circle = Set(cyclic)
    for (reader, name) in late where !circle.contains(reader) {
      let producer = producers[name] ?? reader
      add(
        .error, "unsorted-nodes",
        "it reads \"\(name)\" before \(scope.place(of: body.nodes[producer], producer)) makes it",
        at: scope.place(of: body.nodes[reader], reader))
    }
  }
}

/// Circles among nodes that wait for each other.
enum DependencyCycle {
  /// One circle, in the order in which its nodes wait; empty when there is none.
  ///
  /// - Parameter dependencies: For each node the nodes that it waits for.
  static func find(_ dependencies: [[Int]]) -> [Int] {
    enum State {
      case unseen
      case open
      case done
    }
    var states = [State](repeating: .unseen, count: dependencies.count)
    for start in dependencies.indices where states[start] == .unseen {
      // An explicit stack: the chain may be as long as the graph.
      var path: [(node: Int, next: Int)] = [(start, 0)]
      states[start] = .open
      while let (node, next) = path.last {
        guard next < dependencies[node].count else {
          states[node] = .done
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let dependency = dependencies[node][next]
        switch states[dependency] {
        case .unseen:
          states[dependency] = .open
          path.append((dependency, 0))
        case .open:
          let nodes = path.map(\.node)
          return Array(nodes[(nodes.firstIndex(of: dependency) ?? 0)...])
        case .done: break
        }
      }
    }
    return []
  }
}
