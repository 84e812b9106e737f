/// A value of a price book's JSON and its place.
struct BookNode {
  let json: JSON
  let path: BookPath
}

struct BookFields {
  let members: [String: JSON]
  let path: BookPath

  subscript(key: String) -> BookNode? {
    members[key].map { BookNode(json: $0, path: path[key]) }
  }
}

/// A place in a price book: `operations."personas.generate".lines[0]`.
struct BookPath {
  private(set) var text = ""

  subscript(key: String) -> BookPath {
    let isPlain = key.utf8.allSatisfy(\.isWordByte) && !key.isEmpty
    // A key is shown cut: a hostile book must not blow up the error that refuses it.
    let shown = isPlain ? String(key.prefix(128)) : "\"\(key.prefix(128))\""
    return BookPath(text: text.isEmpty ? shown : "\(text).\(shown)")
  }

  subscript(index: Int) -> BookPath { BookPath(text: "\(text)[\(index)]") }
}
