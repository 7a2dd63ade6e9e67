import OrderedCollections

/// A Keras layer made of operators. It is called once and has one output.
struct RaisedLayer {
  var className: String
  var name: String
  /// The constructor arguments beyond name and dtype.
  var configuration: OrderedDictionary<String, JSONValue>
  /// Variables in creation order by their Keras names.
  var weights: [(name: String, tensor: Tensor)] = []
  /// The layers whose outputs it takes.
  var inputs: [Int] = []
  /// What it computes in.
  var elementType: ElementType
  /// What its output looks like, the batch included, as far as it is known.
  var outputShape: [Int?] = []
  /// What the input of an `InputLayer` looks like, the batch included.
  var inputShape: [Int?]?
  /// How it is called, when it is an operation of `keras.ops` instead of a layer.
  var operation: RaisedOperation?

  /// How many steps it is applied to, each by itself, when it stands in a `TimeDistributed`.
  var steps: Dimension?

  /// Whether it takes its inputs as one list.
  var isMerge: Bool {
    let classes = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"]
    return operation == nil && classes.contains(className)
  }
}

/// The call of an operation of `keras.ops` in a Functional model.
struct RaisedOperation {
  /// A positional argument.
  enum Argument {
    /// One of the layer's inputs, by its place among them.
    case input(Int)
    case constant(JSONValue)
  }

  /// Keras's module of the operation.
  var module: String
  var arguments: [Argument]
}

/// A value of the graph as an output of a layer.
struct RaisedValue: Hashable {
  /// The layer that gives it.
  var layer: Int
  /// The graph folds the axes before the last one into one here, which Keras's layers do by themselves.
  var isCollapsed = false
  /// The graph joins this many steps, or a number it does not tell, with the batch: layers are in `TimeDistributed` here.
  var steps: Dimension?
}
