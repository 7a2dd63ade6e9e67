/// What to use in the place of layers that cannot be run, where something comes near.
enum UnsupportedLayers {
  private static let convolution = "A convolution with a kernel of size 1 is a Dense layer"
  private static let advice = [
    "Conv1D": convolution, "Conv2D": convolution, "Conv3D": convolution,
    "AveragePooling1D": "GlobalAveragePooling1D is run", "AveragePooling2D": "GlobalAveragePooling2D is run",
    "AveragePooling3D": "GlobalAveragePooling3D is run", "MaxPooling1D": "GlobalMaxPooling1D is run",
    "MaxPooling2D": "GlobalMaxPooling2D is run", "MaxPooling3D": "GlobalMaxPooling3D is run",
    "Hashing": "An IntegerLookup with a vocabulary is run; hash functions are no arithmetic of operators",
    "HashedCrossing": "An IntegerLookup with a vocabulary is run; hash functions are no arithmetic of operators",
    "StringLookup": "An IntegerLookup with a vocabulary is run",
    "TextVectorization": "Split the text outside, and look the words up by an IntegerLookup",
    "MultiHeadAttention": "EinsumDense, Dot and Softmax are run", "Attention": "Dot and Softmax are run",
    "GroupQueryAttention": "EinsumDense, Dot and Softmax are run",
    "AdditiveAttention": "Dense, Add, Dot and Softmax are run",
    "ReversibleEmbedding": "Embedding and Dense are run", "RandomFlip": "Leave augmentation out; it does nothing here",
  ]

  /// The nearest layer that is run, as a sentence; `nil` when there is none.
  static func alternative(to className: String) -> String? { advice[className] }
}
