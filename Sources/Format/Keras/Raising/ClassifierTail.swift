/// What converters of scikit-learn's classifiers put behind the probabilities: the class with the largest one, by name.
enum ClassifierTail {
  /// Operators between the index of the largest score and the class that it stands for.
  private static let naming: Set = [
    "ArrayFeatureExtractor", "LabelEncoder", "Reshape", "Squeeze", "Cast", "Identity", "Gather", "ArgMax", "ZipMap",
  ]

  /// The scores that an output of no layer names the classes of.
  ///
  /// - Returns: the scores' value, and whether the output is the scores themselves under the classes' names.
  static func scores(behind output: String, _ raising: Raising) -> (name: String, areScores: Bool)? {
    var name = output
    while let node = raising.producer(of: name) {
      if node.operatorType == "LinearClassifier", node.outputs.count == 2, name == node.outputs[0] {
        return (node.outputs[1], false)
      }
      guard naming.contains(node.operatorType) else { return nil }
      guard let input = node.inputs.first(where: { !raising.isConstant($0) }) else { return nil }
      if node.operatorType == "ArgMax" || node.operatorType == "ZipMap" {
        return raising.isValue(input) ? (input, node.operatorType == "ZipMap") : nil
      }
      name = input
    }
    return nil
  }
}

extension Raising {
  /// Leaves out outputs that only name the classes of scores, and gives the scores instead of a map of them by name.
  mutating func cutClassifierTails() {
    var outputs: [Value] = []
    var left: [(name: String, scores: String)] = []
    for output in model.graph.outputs {
      guard values[output.name] == nil, let scores = ClassifierTail.scores(behind: output.name, self) else {
        outputs.append(output)
        continue
      }
      if scores.areScores {
        values[output.name] = values[scores.name]
        notes.append(ConversionNote(.changed, output.name, "is the tensor of scores, without the names of the classes"))
        outputs.append(output)
      } else {
        left.append((output.name, scores.name))
      }
    }
    for (name, scores) in left {
      if !outputs.contains(where: { values[$0.name] == values[scores] }) {
        values[name] = values[scores]
        outputs.append(Value(name: name))
        notes.append(ConversionNote(.changed, name, "is the tensor of scores, the largest of which is the class"))
      } else {
        notes.append(
          ConversionNote(.dropped, name, "the class is that of the largest score, which Keras leaves to the user"))
      }
    }
    model.graph.outputs = outputs
  }
}
