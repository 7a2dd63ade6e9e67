/// Ordered text entries with dictionary access. A file may hold a key more than once; every entry is kept.
public struct TextDictionary: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// One key with its value.
  public struct Entry: Sendable, Hashable {
    public var key: String
    public var value: String
    public var unknownFields = UnknownFields()

    public init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }

  public var entries: [Entry]

  public init(entries: [Entry] = []) { self.entries = entries }

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

  public var keys: [String] { entries.map(\.key) }
}

extension TextDictionary: Sequence {
  public var count: Int { entries.count }
  public var isEmpty: Bool { entries.isEmpty }

  public func makeIterator() -> some IteratorProtocol<(key: String, value: String)> {
    entries.lazy.map { (key: $0.key, value: $0.value) }.makeIterator()
  }
}
