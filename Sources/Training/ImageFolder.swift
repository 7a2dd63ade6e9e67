import NNEngine
import NNFormat

/// A folder of images with a folder for each class, decoded when they are needed and ahead of that on threads.
///
/// Classes are numbered in the order of their names, images within a class by name. Values are 0 to 255.
public final class ImageFolder: TrainingData, @unchecked Sendable {
  /// The classes by number.
  public let classNames: [String]
  /// Images that could not be decoded and were left out.
  public let skipped: Int
  private let files: [(path: String, label: Int)]
  private let shape: [Int]
  private let isSparse: Bool
  /// How much the images of a class count; 1 for classes that are not named.
  public var classWeights: [Int: Float] = [:]
  private let cache = Locked<[Int: [Float]]>([:])
  private let memoryLimit: Int

  /// The number of images.
  public var rowCount: Int { files.count }
  /// Values of the targets in a row.
  public var targetRowCount: Int { isSparse ? 1 : classNames.count }
  /// The shapes of the inputs for a number of rows.
  public func inputShapes(rows: Int) -> [[Int]] { [[rows] + shape] }

  /// Lists a folder and checks every image's first decoding.
  ///
  /// - Parameters:
  ///   - shape: height, width and channels of the network's input.
  ///   - isSparse: whether targets are class numbers.
  ///   - skipsBad: whether images that cannot be decoded are left out.
  /// - Throws: `FormatError` that names an empty class folder or a broken image.
  public init(
    _ path: String, shape: [Int], isSparse: Bool, classCount: Int, skipsBad: Bool, memoryLimit: Int = 4 << 30
  ) throws(FormatError) {
    guard shape.count == 3, shape[2] == 1 || shape[2] == 3 else {
      throw FormatError(
        .mismatch, "images need an input of height, width and 1 or 3 channels, not \(Shape(shape))", file: path)
    }
    (self.shape, self.isSparse, self.memoryLimit) = (shape, isSparse, memoryLimit)
    let classes = try FileSystem.list(path).filter { FileSystem.isFolder("\(path)/\($0)") }.sorted()
    guard classes.count == classCount || (classCount == 1 && classes.count == 2) else {
      throw FormatError(
        .mismatch, "has \(classes.count) folders of classes, but the network tells \(classCount) apart", file: path)
    }
    classNames = classes
    var files: [(path: String, label: Int)] = []
    for (label, name) in classes.enumerated() {
      let images = try FileSystem.list("\(path)/\(name)").filter { file in
        [".png", ".jpg", ".jpeg"].contains { file.lowercased().hasSuffix($0) }
      }.sorted()
      guard !images.isEmpty else {
        throw FormatError(.missing, "the folder of the class holds no PNG or JPEG images", file: "\(path)/\(name)")
      }
      files += images.map { ("\(path)/\(name)/\($0)", label) }
    }
    // Every image is decoded once before training begins, so that a broken one ends nothing half way.
    let list = files
    let decoded = Locked<[Int: Result<[Float], FormatError>]>([:])
    let room = memoryLimit / 4 / max(shape.reduce(1, *), 1)
    TrainingThreads.forEach(list.count) { index in
      let result = Result { () throws(FormatError) in try Self.decode(list[index].path, shape) }
      decoded.withLock { $0[index] = result.map { index < room ? $0 : [] } }
    }
    var kept: [(path: String, label: Int)] = []
    var pixels: [Int: [Float]] = [:]
    for (index, result) in decoded.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      switch result {
      case .success(let values):
        if !values.isEmpty { pixels[kept.count] = values }
        kept.append(list[index])
      case .failure(let error): if !skipsBad { throw error }
      }
    }
    skipped = list.count - kept.count
    self.files = kept
    let known = pixels
    cache.withLock { $0 = known }
  }

  private static func decode(_ path: String, _ shape: [Int]) throws(FormatError) -> [Float] {
    let image = try DecodedImage(path: path, channels: shape[2])
    return unsafe [Float](unsafeUninitializedCapacity: shape.reduce(1, *)) { buffer, initialized in
      if let base = buffer.baseAddress { unsafe image.resized(width: shape[1], height: shape[0], into: base) }
      initialized = shape.reduce(1, *)
    }
  }

  /// Writes images, those that are not in memory decoded on threads.
  public func read(_ rows: ArraySlice<Int>, into batch: TrainingBatch) throws(EngineError) {
    let order = Array(rows)
    let failure = Locked<FormatError?>(nil)
    TrainingThreads.forEach(order.count) { place in
      let row = order[place]
      do throws(FormatError) {
        let known = cache.withLock { $0[row] }
        if let known {
          batch.setInput(0, row: place, known)
        } else {
          batch.setInput(0, row: place, try Self.decode(files[row].path, shape))
        }
      } catch {
        failure.withLock { $0 = error }
      }
    }
    if let error = failure.withLock({ $0 }) { throw EngineError(.invalidInput, error.description) }
    for (place, row) in order.enumerated() {
      batch.setTarget(row: place, label: files[row].label, isSparse: isSparse)
      batch.weights[place] = classWeights[files[row].label] ?? 1
    }
  }
}
