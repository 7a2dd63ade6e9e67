import NNFormat
import TestSupport

/// One changed file and what is asked of it. The seed and the number say all of it.
struct MutationCase {
  static let targets = ["onnx", "keras", "h5", "weights.h5", "safetensors", "npz"]
  static let views = [[], ["--json"], ["--stats"], ["--tree"], ["--weights"]]

  let kind: MutationKind
  /// Which file of the kind was changed.
  let source: Int
  let bytes: [UInt8]
  /// The ending of what `convert` writes.
  let target: String
  /// What `inspect` is asked to show.
  let view: [String]

  /// Makes a case.
  ///
  /// - Parameter scratch: a path for an archive in the making.
  init(seed: UInt64, number: Int, files: [MutationKind: [[UInt8]]], scratch: String) {
    var numbers = SeededNumbers(seed &* 0x1000_0001 &+ UInt64(number))
    kind = Self.kind(&numbers, among: MutationKind.allCases.filter { files[$0]?.isEmpty == false })
    target = Self.targets[numbers.below(Self.targets.count)]
    view = Self.views[numbers.below(Self.views.count)]
    let files = files[kind] ?? []
    let other = files[numbers.below(files.count)]
    source = numbers.below(files.count)
    var bytes = files[source]
    if kind.isArchive, numbers.below(2) == 0 {
      bytes = Self.archive(bytes, other, &numbers, scratch) ?? bytes
    } else if kind == .json, numbers.below(2) == 0, var json = try? JSONValue.parse(bytes) {
      for _ in 0...numbers.below(3) { JSONMutation.change(&json, &numbers) }
      bytes = Array(json.text().utf8)
    } else {
      ByteMutation.mutate(&bytes, &numbers, other: other)
    }
    self.bytes = bytes
  }

  private static func kind(_ numbers: inout SeededNumbers, among kinds: [MutationKind]) -> MutationKind {
    var rest = numbers.below(kinds.reduce(0) { $0 + $1.weight })
    for kind in kinds {
      rest -= kind.weight
      if rest < 0 { return kind }
    }
    return kinds[0]
  }

  /// An archive with one member changed and all checksums right.
  private static func archive(
    _ bytes: [UInt8], _ other: [UInt8], _ numbers: inout SeededNumbers, _ scratch: String
  ) -> [UInt8]? {
    guard var members = try? members(of: bytes), !members.isEmpty, let others = try? self.members(of: other) else {
      return nil
    }
    let index = numbers.below(members.count)
    let counterpart = others.first { $0.name == members[index].name }?.bytes ?? []
    let isText = members[index].name.hasSuffix(".json") && numbers.below(3) > 0
    if isText, var json = try? JSONValue.parse(members[index].bytes) {
      for _ in 0...numbers.below(3) { JSONMutation.change(&json, &numbers) }
      members[index].bytes = Array(json.text().utf8)
    } else {
      ByteMutation.mutate(&members[index].bytes, &numbers, other: counterpart)
    }
    do {
      try ZipWriter.write(to: scratch) { (archive) throws(FormatError) in
        for member in members { try archive.add(member.name, member.bytes) }
      }
      return try TemporaryFolder.bytes(of: scratch)
    } catch {
      return nil
    }
  }

  private static func members(of bytes: [UInt8]) throws -> [(name: String, bytes: [UInt8])] {
    let archive = try ZipArchive(ByteRegion(AlignedBytes(copying: bytes), name: "archive"))
    return try archive.members.keys.map { ($0, try archive.region($0).bytes()) }
  }
}
