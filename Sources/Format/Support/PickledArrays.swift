import OrderedCollections

/// Takes NumPy arrays out of a pickle without unpickling it.
///
/// A pickle is a program for a small stack machine that may call anything. This one runs the machine without calling
/// anything: it knows the constructors of an array, and every other name stays a name with its arguments, in which arrays
/// are looked for. No code is ever looked up.
package struct PickledArrays {
  /// The place of a value among `values`. Values refer to each other by place, since later instructions complete earlier
  /// ones, and so that no depth of nesting takes any depth of calls.
  private typealias Value = Int

  private enum Content {
    case none
    case bool(Bool)
    case int(Int)
    case text(String)
    case bytes(ArraySlice<UInt8>)
    case tuple([Value])
    case list([Value])
    case dictionary([(Value, Value)])
    case name(String)
    case typeDescriptor(String, byteOrder: String)
    /// What a name would have been called with, and the state it would have been given.
    case call(String, [Value])
    case array(shape: [Int], descriptor: String, isFortran: Bool, content: Value)
    case emptyArray
    case mark
  }

  private let bytes: [UInt8]
  private let name: String
  private var position = 0
  private var values: [Content] = []
  private var stack: [Value] = []
  private var memo: [Int: Value] = [:]

  /// The arrays of a pickled zero-dimensional object array that holds a dictionary from text to arrays.
  package static func dictionary(_ bytes: [UInt8], name: String) throws(FormatError) -> OrderedDictionary<
    String, Tensor
  > {
    try content(bytes, name: name).arrays
  }

  /// The arrays of such a pickle, and every name in it that unpickling would look up.
  static func content(_ bytes: [UInt8], name: String) throws(FormatError) -> (
    arrays: OrderedDictionary<String, Tensor>, names: [String]
  ) {
    var machine = PickledArrays(bytes: bytes, name: name)
    let top = try machine.run()
    guard case .array(_, _, _, let list) = machine.values[top], case .list(let elements) = machine.values[list],
      let first = elements.first, case .dictionary(let entries) = machine.values[first]
    else { throw machine.refused("a value that is not a dictionary of arrays") }
    var arrays: OrderedDictionary<String, Tensor> = [:]
    for (key, value) in entries {
      guard case .text(let key) = machine.values[key] else { throw machine.refused("a key that is not text") }
      arrays[key] = try machine.tensor(value)
    }
    var names: [String] = []
    for case .name(let name) in machine.values where !names.contains(name) { names.append(name) }
    return (arrays, names)
  }

  private init(bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
  }

  private func refused(_ what: String) -> FormatError {
    FormatError(.refused, "the pickled weights hold \(what); only arrays are read", at: "\(name), byte \(position)")
  }

  /// The only array in a value, which may be wrapped in other objects.
  private func tensor(_ wrapped: Value) throws(FormatError) -> Tensor {
    let found = arrays(in: wrapped)
    if found.isEmpty, case .call(let name, _) = values[wrapped] { throw refused("0 arrays, but a call of \"\(name)\"") }
    guard let value = found.first, found.count == 1 else {
      throw refused("\(found.count) arrays where one is expected")
    }
    guard case .array(let shape, let descriptor, let isFortran, let content) = values[value],
      case .bytes(let data) = values[content]
    else { throw refused("a value that is not an array") }
    let (elementType, isBigEndian) = try NpyFile.elementType(descriptor)
    let tensor = try Tensor(elementType: elementType, shape: shape, storage: .owned(AlignedBytes(copying: Array(data))))
    return isFortran || isBigEndian ? try tensor.rearranged(fromFortranOrder: isFortran, swapped: isBigEndian) : tensor
  }

  /// The arrays that a value holds at any depth.
  private func arrays(in wrapped: Value) -> [Value] {
    var found: [Value] = []
    var seen: Set<Value> = []
    var pending = [wrapped]
    while let value = pending.popLast() {
      guard seen.insert(value).inserted else { continue }
      switch values[value] {
      case .array: found.append(value)
      case .tuple(let inner), .list(let inner), .call(_, let inner): pending += inner
      case .dictionary(let entries): pending += entries.map(\.1)
      default: break
      }
    }
    return found
  }

  private mutating func run() throws(FormatError) -> Value {
    while true {
      let opcode = try byte()
      if opcode == UInt8(ascii: ".") { return try pop() }
      try step(opcode)
    }
  }

  private mutating func step(_ opcode: UInt8) throws(FormatError) {
    switch opcode {
    case 0x80: position += 1
    case 0x95: position += 8
    case UInt8(ascii: "N"): push(.none)
    case 0x88: push(.bool(true))
    case 0x89: push(.bool(false))
    case UInt8(ascii: "J"): push(.int(Int(Int32(truncatingIfNeeded: try integer(4)))))
    case UInt8(ascii: "K"): push(.int(try integer(1)))
    case UInt8(ascii: "M"): push(.int(try integer(2)))
    case 0x8A:
      let length = try integer(1)
      guard length <= 8 else { throw refused("a number of \(length) bytes") }
      push(.int(try integer(length)))
    case 0x8C: push(.text(try text(try integer(1))))
    case UInt8(ascii: "X"): push(.text(try text(try integer(4))))
    case UInt8(ascii: "C"): push(.bytes(try take(try integer(1))))
    case UInt8(ascii: "B"): push(.bytes(try take(try integer(4))))
    case 0x8E, 0x96: push(.bytes(try take(try integer(8))))
    case UInt8(ascii: "("): push(.mark)
    case UInt8(ascii: ")"): push(.tuple([]))
    // A set takes its elements like a list.
    case UInt8(ascii: "]"), 0x8F: push(.list([]))
    case UInt8(ascii: "}"): push(.dictionary([]))
    case UInt8(ascii: "t"): push(.tuple(try popToMark()))
    case 0x85, 0x86, 0x87: try pushTuple(Int(opcode) - 0x84)
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "q"): memo[try integer(1)] = try top()
    case UInt8(ascii: "r"): memo[try integer(4)] = try top()
    case UInt8(ascii: "h"): try recall(try integer(1))
    case UInt8(ascii: "j"): try recall(try integer(4))
    case UInt8(ascii: "c"): push(.name(try line() + "." + line()))
    case 0x93: try pushName()
    case 0x81: try reduce()
    case 0x90: try append(popToMark())
    case UInt8(ascii: "a"), UInt8(ascii: "e"): try append(opcode == UInt8(ascii: "a") ? [pop()] : popToMark())
    case UInt8(ascii: "s"): try setItems([pop(), pop()].reversed())
    case UInt8(ascii: "u"): try setItems(popToMark())
    case UInt8(ascii: "R"): try reduce()
    case UInt8(ascii: "b"): try build()
    default: throw refused("the instruction 0x\(String(opcode, radix: 16))")
    }
  }

  private mutating func byte() throws(FormatError) -> UInt8 {
    guard position < bytes.count else { throw refused("less than it announces") }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func take(_ count: Int) throws(FormatError) -> ArraySlice<UInt8> {
    guard count >= 0, position <= bytes.count, count <= bytes.count - position else {
      throw refused("less than it announces")
    }
    defer { position += count }
    return bytes[position..<position + count]
  }

  private mutating func integer(_ count: Int) throws(FormatError) -> Int {
    try take(count).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func text(_ count: Int) throws(FormatError) -> String {
    String(decoding: try take(count), as: UTF8.self)
  }

  private mutating func line() throws(FormatError) -> String {
    let text = bytes.dropFirst(position).prefix { $0 != 0x0A }
    position += text.count + 1
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func push(_ content: Content) {
    stack.append(values.count)
    values.append(content)
  }

  private func top() throws(FormatError) -> Value {
    guard let value = stack.last else { throw refused("an instruction without an operand") }
    return value
  }

  private mutating func pop() throws(FormatError) -> Value {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func popToMark() throws(FormatError) -> [Value] {
    var values: [Value] = []
    while true {
      let value = try pop()
      if case .mark = self.values[value] { return values.reversed() }
      values.append(value)
    }
  }

  private mutating func pushTuple(_ count: Int) throws(FormatError) {
    var values: [Value] = []
    for _ in 0..<count { values.append(try pop()) }
    push(.tuple(values.reversed()))
  }

  private mutating func recall(_ index: Int) throws(FormatError) {
    guard let value = memo[index] else { throw refused("a reference to nothing") }
    stack.append(value)
  }

  private mutating func pushName() throws(FormatError) {
    let (attribute, module) = (try pop(), try pop())
    guard case .text(let attribute) = values[attribute], case .text(let module) = values[module] else {
      throw refused("a name that is not text")
    }
    push(.name("\(module).\(attribute)"))
  }

  private mutating func append(_ values: [Value]) throws(FormatError) {
    let list = try top()
    guard case .list(var elements) = self.values[list] else { throw refused("an element of something that is no list") }
    // Letting go of the list first lets it grow in place.
    self.values[list] = .none
    elements += values
    self.values[list] = .list(elements)
  }

  private mutating func setItems(_ values: [Value]) throws(FormatError) {
    let dictionary = try top()
    guard case .dictionary(var entries) = self.values[dictionary], values.count % 2 == 0 else {
      throw refused("a member of something that is no dictionary")
    }
    self.values[dictionary] = .none
    for index in stride(from: 0, to: values.count, by: 2) { entries.append((values[index], values[index + 1])) }
    self.values[dictionary] = .dictionary(entries)
  }

  /// Stands for a call of a name, or of the result of one.
  private mutating func reduce() throws(FormatError) {
    let (arguments, function) = (try pop(), try pop())
    guard case .tuple(let values) = self.values[arguments] else { throw refused("a call without arguments") }
    guard case .name(let name) = self.values[function] else {
      push(.call("", [function] + values))
      return
    }
    switch name {
    case "numpy._core.multiarray._reconstruct", "numpy.core.multiarray._reconstruct": push(.emptyArray)
    case "numpy.dtype":
      guard let first = values.first, case .text(let descriptor) = self.values[first] else {
        throw refused("a type without a name")
      }
      push(.typeDescriptor(descriptor, byteOrder: "|"))
    default: push(.call(name, values))
    }
  }

  /// Stands for `__setstate__` of an array, an element type, or something unknown.
  private mutating func build() throws(FormatError) {
    let state = try pop()
    let target = try top()
    if case .call(let name, let arguments) = values[target] {
      values[target] = .call(name, arguments + [state])
      return
    }
    guard case .tuple(let fields) = values[state] else { throw refused("a state that is no tuple") }
    switch values[target] {
    case .typeDescriptor(let descriptor, _):
      guard fields.count > 1, case .text(let order) = values[fields[1]] else {
        throw refused("a type without a byte order")
      }
      values[target] = .typeDescriptor(descriptor, byteOrder: order)
    case .emptyArray:
      guard fields.count == 5, case .tuple(let axes) = values[fields[1]],
        case .typeDescriptor(let descriptor, let order) = values[fields[2]],
        case .bool(let isFortran) = values[fields[3]]
      else { throw refused("an array of an unknown form") }
      var shape: [Int] = []
      for axis in axes {
        guard case .int(let extent) = values[axis] else { throw refused("a shape that is not made of numbers") }
        shape.append(extent)
      }
      values[target] = .array(shape: shape, descriptor: order + descriptor, isFortran: isFortran, content: fields[4])
    default: throw refused("a state for something that takes none")
    }
  }
}
