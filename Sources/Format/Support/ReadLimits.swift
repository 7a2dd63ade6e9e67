import Glibc

/// Bounds on what a file may ask of its reader, so that a small file cannot claim much memory or time.
public struct ReadLimits: Sendable, Hashable {
  /// Groups and datasets of an HDF5 file together, members of an archive.
  public var objectCount = 1 << 20
  /// How deep groups, layers, JSON values and messages may nest; `deepest` at most.
  public var depth = 128 { didSet { depth = min(depth, Self.deepest) } }
  /// The nesting that readers survive on the stack of any thread.
  public static let deepest = 512
  /// How many calls of layers a model may unfold to: models that call models double them with each level.
  public var callCount = 1 << 16
  /// Bytes of one attribute.
  public var attributeBytes = 64 << 20
  /// Bytes of one JSON document: a configuration, an index of shards.
  public var jsonBytes = 64 << 20
  /// Values in one JSON document, those in arrays and objects counted each: in memory they take up to 25 times their text.
  public var jsonValues = 1 << 21
  /// Axes of a tensor.
  public var rank = 64
  /// Bytes of a decoded dataset or archive member, and of all that a file holds, beyond which `expansionRatio` applies.
  public var freelyExpandedBytes = 128 << 20
  /// Bytes of a compressed archive member when it is decompressed.
  public var memberBytes = 1 << 32
  /// How many times larger than its stored form decoded content may be, and all of it together than the file.
  public var expansionRatio = 100

  /// Bytes that a run of a file's network may take for what it computes, beside the file, its weights and the inputs. By default
  /// half of the machine's memory.
  public var runBytes = Self.machineBytes / 2
  /// The memory of this machine, in bytes; 4 GiB where the system does not say.
  private static let machineBytes =
    max(sysconf(Int32(_SC_PHYS_PAGES)), 1 << 20) * max(sysconf(Int32(_SC_PAGESIZE)), 4096)

  /// The process that libhdf5 reads in; `nil`, the default of the libraries, is this one. The command line's is a worker.
  public var isolation: HDF5Isolation?

  /// The default bounds.
  public init() {}

  /// The bounds by the names that the command line has for them, in the order of its help.
  package static let named: [(name: String, path: WritableKeyPath<ReadLimits, Int> & Sendable)] = [
    ("objects", \.objectCount), ("depth", \.depth), ("calls", \.callCount), ("attribute-bytes", \.attributeBytes),
    ("json-bytes", \.jsonBytes), ("json-values", \.jsonValues), ("rank", \.rank), ("member-bytes", \.memberBytes),
    ("expanded-bytes", \.freelyExpandedBytes), ("ratio", \.expansionRatio), ("run-bytes", \.runBytes),
  ]

  /// Refuses tensors of more axes than allowed.
  func check(rank: Int, at place: String? = nil) throws(FormatError) {
    guard rank <= self.rank else { throw FormatError(.limit, "it has \(rank) axes, more than \(self.rank)", at: place) }
  }

  /// Whether content of `stored` bytes may decode to `declared` ones.
  func allowsExpansion(stored: Int, declared: Int) -> Bool {
    let (most, isOver) = max(stored, 1).multipliedReportingOverflow(by: expansionRatio)
    return declared <= freelyExpandedBytes || isOver || declared <= most
  }
}
