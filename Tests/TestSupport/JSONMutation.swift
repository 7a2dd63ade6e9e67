import NNFormat
import OrderedCollections

/// A change somewhere in a JSON document.
package enum JSONMutation {
  private static let replacements: [JSONValue] = [
    .null, true, "", "text", "relu", 0, -1, 3, .number("1e300"), .number("NaN"), .number("2.5"),
    .number("9223372036854775807"), .number("-9223372036854775808"), .number("99999999999999999999"),
    .number("4294967296"),
    [], [.null], [-1, -1], [0], [[]], ["a", 0, 0], .object([:]), ["class_name": "Dense"], ["config": ["value": 1]],
  ]

  /// Changes one place, chosen with equal chance at each level.
  package static func change(_ value: inout JSONValue, _ numbers: inout SeededNumbers) {
    switch value {
    case .object(var members) where !members.isEmpty && numbers.below(12) > 0:
      let key = members.keys[numbers.below(members.count)]
      switch numbers.below(24) {
      case 0: members[key] = nil
      case 1: members[key] = replacements[numbers.below(replacements.count)]
      case 2:
        let other = members.keys[numbers.below(members.count)]
        (members[key], members[other]) = (members[other], members[key])
      default:
        var member = members[key] ?? .null
        members[key] = .null
        change(&member, &numbers)
        members[key] = member
      }
      value = .object(members)
    case .array(var elements) where !elements.isEmpty && numbers.below(12) > 0:
      let index = numbers.below(elements.count)
      switch numbers.below(24) {
      case 0: elements.remove(at: index)
      case 1: elements.append(elements[index])
      case 2: elements.swapAt(index, numbers.below(elements.count))
      default: change(&elements[index], &numbers)
      }
      value = .array(elements)
    case .number(let text):
      let values = [text + "0", "-\(text)", "0", "1", "2", "1000000000000", "9223372036854775807"]
      value = .number(values[numbers.below(values.count)])
    default: value = replacements[numbers.below(replacements.count)]
    }
  }
}
