import NNFormat
import Testing

@Suite struct CSVTests {
  private func input(_ shape: [Int], _ elementType: ElementType = .float32) -> Value {
    Value(name: "x", elementType: elementType, shape: Shape([.symbolic("batch")] + shape.map { .known($0) }))
  }

  @Test(arguments: [
    "1,2\n3,4\n", "1;2\n3;4", "1\t2\r\n3\t4\r\n", "a,b\n1,2\n3,4", "\"a\",\"b\"\n1,2\n3,4", " 1 , 2 \n\n3, 4\n\n",
    "\u{FEFF}1,2\n3,4\n", "\n \n1;2\n3;4\n", "1.0,2e0\n+3,4.000", "a,b\n1,2\r3,4",
  ]) func theSameTableInEverySpelling(_ text: String) throws {
    let table = try CSVTable(text)
    #expect(table.columnCount == 2)
    #expect(table.rowCount == 2)
    #expect(table.values == [1, 2, 3, 4])
    #expect(table.names == (text.contains("a") ? ["a", "b"] : nil))
  }

  @Test func specialNumbersAreNumbers() throws {
    let values = try CSVTable("nan,inf,-inf\n1,2,3\n").values
    #expect(values[0].isNaN)
    #expect(values[1...] == [.infinity, -.infinity, 1, 2, 3])
  }

  @Test(arguments: [
    ("1,2\n3,x\n", "line 2, column 2", "\"x\""), ("a,b\n1,2\n3,\n", "line 3, column 2", "\"\""),
    ("1,2\n3\n", "line 2", "1 cells"), ("1,2\n\n3,4,5\n", "line 3", "3 cells"),
    ("1,2\r\n3,4\r\n5;6\r\n", "line 3", "1 cells"),
  ]) func mistakesHaveALineAndColumn(_ text: String, place: String, word: String) {
    let error = #expect(throws: FormatError.self) { try CSVTable(text) }
    #expect(error?.kind == .malformed)
    #expect(error?.place == place)
    #expect(error?.message.contains(word) == true)
  }

  @Test(arguments: ["", "\n\n", "a,b\n"]) func aTableNeedsRows(_ text: String) {
    let error = #expect(throws: FormatError.self) { try CSVTable(text) }
    #expect(error?.message.contains("no rows") == true)
  }

  @Test func aRowTakesTheShapeBehindTheBatch() throws {
    let table = try CSVTable("1,2,3,4,5,6\n7,8,9,10,11,12\n")
    #expect(try table.tensor(for: input([6])).shape == [2, 6])
    #expect(try table.tensor(for: input([2, 3])).shape == [2, 2, 3])
    #expect(try table.tensor(for: input([3, 2, 1])).elements(as: Float.self) == (1...12).map { Float($0) })
    let open = Value(name: "x", elementType: .float32, shape: [.symbolic("batch"), .symbolic("time"), 3])
    #expect(try table.tensor(for: open).shape == [2, 2, 3])
    #expect(try table.tensor(for: Value(name: "x")).shape == [2, 6])
  }

  @Test func aShapeThatDoesNotFitIsNamed() throws {
    let table = try CSVTable("1,2,3,4,5,6\n")
    let open = Value(name: "x", elementType: .float32, shape: [.symbolic("batch"), .unknown, 4])
    for value in [input([5]), input([2, 4]), input([]), open] {
      let error = #expect(throws: FormatError.self) { try table.tensor(for: value) }
      #expect(error?.kind == .mismatch)
      #expect(error?.message.contains("6 cells") == true)
      #expect(error?.message.contains("\(try #require(value.shape))") == true)
    }
  }

  @Test func integersAreExactOrRefused() throws {
    #expect(try CSVTable("1,-2\n").tensor(for: input([2], .int32)).elements(as: Int32.self) == [1, -2])
    #expect(try CSVTable("1,0\n").tensor(for: input([2], .bool)).elements(as: Bool.self) == [true, false])
    let cases: [(String, ElementType)] = [
      ("1.5,2", .int32), ("300,0", .uint8), ("-1,0", .uint32), ("3e9,0", .int32), ("inf,0", .int64), ("nan,0", .int8),
      ("1e19,0", .int64), ("2,0", .bool),
    ]
    for (text, elementType) in cases {
      let error = #expect(throws: FormatError.self, "\(text) as \(elementType)") {
        try CSVTable(text).tensor(for: input([2], elementType))
      }
      #expect(error?.kind == .mismatch)
      #expect(error?.message.contains(elementType.name) == true)
    }
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    let values: [Float] = [0.1, -2, 1e-30, 3.4e38]
    let text = try CSVTable.text(of: [("a", Tensor(values, shape: [2, 2])), ("b", Tensor([0.1, 1 / 3] as [Double]))])
    #expect(text == "a_0,a_1,b\n0.1,-2.0,0.1\n1e-30,3.4e+38,0.3333333333333333\n")
    let table = try CSVTable(text)
    #expect(table.names == ["a_0", "a_1", "b"])
    #expect(table.values.count { values.contains(Float($0)) } == 5)
    let whole = try CSVTable.text(of: [("n", Tensor([Int64.max, .min])), ("m", Tensor([255, 0] as [UInt8]))])
    #expect(whole == "n,m\n9223372036854775807,255\n-9223372036854775808,0\n")
    #expect(throws: FormatError.self) { try CSVTable.text(of: [("a", Tensor([1.0])), ("b", Tensor([1.0, 2]))]) }
  }
}
