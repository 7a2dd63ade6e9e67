import OrderedCollections

/// A JSON document that keeps what ordinary parsers lose: the order of keys and the text of numbers.
public enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  /// A number as it was written; also Python's `NaN`, `Infinity` and `-Infinity`.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(OrderedDictionary<String, JSONValue>)

  /// The member of an object, or `nil`.
  public subscript(key: String) -> JSONValue? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  /// The element of an array, or `nil` when there is none.
  public subscript(index: Int) -> JSONValue? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }

  /// The text of a string.
  public var string: String? { if case .string(let text) = self { text } else { nil } }
  /// The value of a boolean.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The elements of an array.
  public var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
  /// The members of an object.
  public var object: OrderedDictionary<String, JSONValue>? {
    if case .object(let members) = self { members } else { nil }
  }
  /// Whether the value is `null`.
  public var isNull: Bool { self == .null }

  /// The value of a number that is a whole one in the range of `Int`; a boolean is not a number.
  public var int: Int? {
    guard case .number(let text) = self else { return nil }
    if let exact = Int(text) { return exact }
    return double.flatMap { Int(exactly: $0) }
  }

  /// The value of a number, with Python's spellings of the special ones.
  public var double: Double? {
    guard case .number(let text) = self else { return nil }
    return switch text {
    case "NaN": .nan
    case "Infinity": .infinity
    case "-Infinity": -.infinity
    default: Double(text)
    }
  }

  /// The value of a number, rounded.
  public var float: Float? { double.map { Float($0) } }

  /// All elements as whole numbers, or `nil` when one is not.
  public var ints: [Int]? {
    guard let array else { return nil }
    var result: [Int] = []
    for element in array {
      guard let value = element.int else { return nil }
      result.append(value)
    }
    return result
  }

  /// All elements as strings, or `nil` when one is not.
  public var strings: [String]? {
    guard let array else { return nil }
    let result = array.compactMap(\.string)
    return result.count == array.count ? result : nil
  }

  /// A whole number.
  public static func int(_ value: Int) -> JSONValue { .number(String(value)) }

  /// A number; what JSON has no spelling for becomes `null`.
  public static func double(_ value: Double) -> JSONValue {
    value.isFinite ? .number(value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)") : .null
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A boolean.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// A whole number.
  public init(integerLiteral value: Int) { self = .int(value) }
  /// An array.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// `null`.
  public init(nilLiteral: ()) { self = .null }
  /// An object; of two members of one name the later counts.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(OrderedDictionary(elements) { _, last in last })
  }
}
