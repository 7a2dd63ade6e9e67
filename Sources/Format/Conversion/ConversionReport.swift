/// Something that a conversion did beyond carrying values over.
public struct ConversionNote: Sendable, Hashable {
  /// What happened.
  public enum Kind: String, Sendable {
    /// The target cannot hold it; it is gone.
    case dropped
    /// It means the same in another form.
    case changed
    /// The target's own terms cannot say it; it travels along and comes back on the way back.
    case kept
    /// It has another name in the target.
    case renamed
    /// It came back from what an earlier conversion kept.
    case restored
  }

  /// What kind of thing happened.
  public var kind: Kind
  /// The layer, tensor or part of the file concerned.
  public var subject: String
  /// What happened to it, as a clause.
  public var message: String

  /// A note.
  public init(_ kind: Kind, _ subject: String, _ message: String) {
    self.kind = kind
    self.subject = subject
    self.message = message
  }
}

/// What a conversion read, wrote and did on the way.
public struct ConversionReport: Sendable {
  /// The path that was read.
  public var source: String
  /// Its format, for people.
  public var sourceFormat: String
  /// The path that was written.
  public var target: String
  /// Its format, for people.
  public var targetFormat: String
  /// The operator set of an ONNX target.
  public var operatorSetVersion: Int?
  /// What happened on the way, in order.
  public var notes: [ConversionNote] = []

  /// The report without a schema key.
  public var json: JSONValue {
    [
      "source": ["path": .string(source), "format": .string(sourceFormat)],
      "target": [
        "path": .string(target), "format": .string(targetFormat),
        "opset": operatorSetVersion.map(JSONValue.int) ?? .null,
      ],
      "notes": .array(
        notes.map {
          ["kind": .string($0.kind.rawValue), "subject": .string($0.subject), "message": .string($0.message)]
        }),
    ]
  }
}
