import Testing

@testable import Tollgate

@Suite struct JSONWriterTests {
  @Test func writesNestedObjectsAndArrays() {
    var writer = JSONWriter()
    writer.object {
      $0.field("price", 85)
      $0.field("name", "a")
      $0.field("exact", Int64.min)
      $0.field("on", true)
      $0.field("none", String?.none)
      $0.field("tree", JSON.array([.null, .number("1.0")]))
      $0.array("lines") {
        $0.object { _ in }
        $0.object { $0.object("inner") { $0.field("x", 1) } }
        $0.array { _ in }
        $0.value("s")
      }
    }
    #expect(
      String(decoding: writer.bytes, as: UTF8.self) == """
        {"price":85,"name":"a","exact":-9223372036854775808,"on":true,"none":null,\
        "tree":[null,1.0],"lines":[{},{"inner":{"x":1}},[],"s"]}
        """)
  }

  @Test func escapesWhatMustBeEscaped() throws {
    let hostile = String(String.UnicodeScalarView((0..<0x300).map { Unicode.Scalar($0)! })) + "😀"
    var writer = JSONWriter()
    writer.object { $0.field(hostile, hostile) }
    #expect(try JSON(parsing: writer.bytes) == .object([hostile: .string(hostile)]))
    #expect(writer.bytes.allSatisfy { $0 >= 0x20 })
  }

  @Test(arguments: [
    (#" { "b" : 1 , "a" : [ true , null ] } "#, #"{"a":[true,null],"b":1}"#),
    (#"{"\u0062":"\u0001\n\/"}"#, #"{"b":"\u0001\n/"}"#), ("[1.0,-0]", "[1.0,-0]"),
  ])
  func aCanonicalFormIsSortedAndTight(text: String, expected: String) throws {
    #expect(String(decoding: try json(text).canonicalBytes, as: UTF8.self) == expected)
  }
}
