import OrderedCollections

/// The weights of a Keras 3 `.weights.h5`, of an archive's `.npz`, or of several shards: groups named by class and
/// position, each with numbered variables in `vars`.
package struct WeightTree: Sendable {
  var path: String
  /// The layer's own name, which newer files note beside the variables.
  package var layerName: String?
  package var variables: [KerasWeight] = []
  var children: OrderedDictionary<String, WeightTree> = [:]

  package init(path: String) { self.path = path }

  /// The tree of an HDF5 group. Backslashes in names, which Keras wrote on Windows, separate groups like slashes.
  init(_ group: HDF5Group, limits: ReadLimits) {
    self.init(path: group.path)
    merge(group, limits: limits)
  }

  /// Whether an HDF5 root looks like a tree of variables.
  static func isPlausible(_ root: HDF5Group) -> Bool {
    root.children.keys.contains { name in
      let first = name.split { $0 == "\\" || $0 == "/" }.first ?? ""
      return ["layers", "_layer_checkpoint_dependencies", "vars", "optimizer"].contains(first)
    }
  }

  /// Adds what a group holds; a shard adds its variables to those of earlier ones.
  mutating func merge(_ group: HDF5Group, limits: ReadLimits) {
    for (name, object) in group.children {
      if name == "vars", case .group(let variables) = object {
        layerName = layerName ?? variables.attributes["name"]?.string
        self.variables += variables.children.sorted { Self.precedes($0.key, $1.key) }.map { key, object in
          let path = variables.path(of: key)
          return KerasWeight(name: key, path: path, value: HDF5Group.tensor(object, at: path, limits: limits))
        }
      } else if case .group(let child) = object {
        let parts = name.split(separator: "\\").map(String.init)
        descend(parts[...]) { $0.merge(child, limits: limits) }
      }
    }
    variables.sort { Self.precedes($0.name, $1.name) }
  }

  /// Changes the tree at a relative path, which is made where it is missing.
  package mutating func descend(_ parts: ArraySlice<String>, _ change: (inout WeightTree) -> Void) {
    guard let first = parts.first else { return change(&self) }
    // Keras 2.13 named the list of layers after TensorFlow's checkpoint code.
    let name = first == "_layer_checkpoint_dependencies" ? "layers" : first
    // In place: a copy of each list that grows would make every addition as long as the list.
    let empty = WeightTree(path: path == "/" ? "/\(first)" : "\(path)/\(first)")
    children[name, default: empty].descend(parts.dropFirst(), change)
  }

  /// The tree's nodes that hold variables, as groups, in file order.
  func groups(excluding excluded: String? = nil) -> [KerasWeightGroup] {
    var groups: [KerasWeightGroup] = []
    if !variables.isEmpty {
      groups.append(KerasWeightGroup(name: layerName ?? path, path: path, weights: variables))
    }
    for (name, child) in children.sorted(by: { Self.precedes($0.key, $1.key) }) where name != excluded {
      groups += child.groups()
    }
    return groups
  }

  /// Every variable at or below this node.
  var allVariables: [KerasWeight] { groups().flatMap(\.weights) }

  /// Orders `dense_2` before `dense_10`, and `2` before `10`.
  package static func precedes(_ left: String, _ right: String) -> Bool {
    let (leftStem, leftNumber) = splitNumber(left)
    let (rightStem, rightNumber) = splitNumber(right)
    return leftStem == rightStem ? leftNumber < rightNumber : leftStem < rightStem
  }

  /// A name's stem and its number: `dense_2` gives `dense` and 2; a name without a number has -1.
  static func splitNumber(_ name: String) -> (stem: String, number: Int) {
    let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
    guard digits > 0, let number = Int(name.suffix(digits)) else { return (name, -1) }
    let stem = name.dropLast(digits)
    return (String(stem.hasSuffix("_") ? stem.dropLast() : stem), number)
  }
}
