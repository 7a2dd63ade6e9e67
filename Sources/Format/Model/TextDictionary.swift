/// Ordered text entries with dictionary access. A file may hold a key more than once; every entry is kept.
public struct TextDictionary: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// One key with its value.
  public struct Entry: Sendable, Hashable {
    /// The name, as a rule unique.
    public var key: String
    /// The text under the name.
    public var value: String
    /// What the file says beyond these.
    public var unknownFields = UnknownFields()

    /// An entry as it is usually written.
    public init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }

  /// All entries in the order of the file.
  public var entries: [Entry]

  /// The given entries in their order.
  public init(entries: [Entry] = []) { self.entries = entries }

  /// Entries in the order of the literal.
  public init(dictionaryLiteral elements: (String, String)...) { entries = elements.map { Entry($0, $1) } }

  /// The value of the first entry with a key. Assigning replaces it in place or appends; `nil` removes every such entry.
  public subscript(key: String) -> String? {
    get { entries.first { $0.key == key }?.value }
    set {
      guard let newValue else { return entries.removeAll { $0.key == key } }
      if let index = entries.firstIndex(where: { $0.key == key }) {
        entries[index].value = newValue
      } else {
        entries.append(Entry(key, newValue))
      }
    }
  }

  /// Keys in order, with repetitions.
  public var keys: [String] { entries.map(\.key) }
}

extension TextDictionary: Sequence {
  /// The number of entries.
  public var count: Int { entries.count }
  /// Whether there is no entry.
  public var isEmpty: Bool { entries.isEmpty }

  /// Entries as pairs, in order.
  public func makeIterator() -> some IteratorProtocol<(key: String, value: String)> {
    entries.lazy.map { (key: $0.key, value: $0.value) }.makeIterator()
  }
}
