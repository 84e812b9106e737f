import Foundation

/// Writes the few shapes that the charts need. There is no background: the greys and colours can
/// be read on white and on black.
struct SVG {
  static let ink = "#7a7a7a"
  static let colours = ["#2f81f7", "#d9822b", "#3fa55b", "#a371f7"]

  private(set) var elements: [String] = []

  enum Anchor: String {
    case start, middle, end
  }

  mutating func text(
    _ text: String, _ x: Double, _ y: Double, anchor: Anchor = .start, size: Int = 12,
    colour: String = ink, isBold: Bool = false
  ) {
    let weight = isBold ? " font-weight=\"600\"" : ""
    elements.append(
      """
      <text x="\(x.coordinate)" y="\(y.coordinate)" text-anchor="\(anchor.rawValue)" \
      font-size="\(size)"\(weight) fill="\(colour)">\(text.escapedForXML)</text>
      """)
  }

  mutating func rectangle(
    _ x: Double, _ y: Double, width: Double, height: Double, colour: String,
    opacity: Double = 1
  ) {
    elements.append(
      """
      <rect x="\(x.coordinate)" y="\(y.coordinate)" width="\(width.coordinate)" \
      height="\(height.coordinate)" fill="\(colour)" fill-opacity="\(opacity)"/>
      """)
  }

  mutating func line(
    _ points: [(x: Double, y: Double)], colour: String, width: Double
  ) {
    let path = points.map { "\($0.x.coordinate),\($0.y.coordinate)" }.joined(separator: " ")
    elements.append(
      """
      <polyline points="\(path)" fill="none" stroke="\(colour)" stroke-width="\(width)"/>
      """)
  }

  mutating func circle(_ x: Double, _ y: Double, radius: Double, colour: String) {
    elements.append(
      "<circle cx=\"\(x.coordinate)\" cy=\"\(y.coordinate)\" r=\"\(radius)\" fill=\"\(colour)\"/>")
  }

  /// A whole document.
  func document(width: Double, height: Double) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" width="\(width.coordinate)" \
    height="\(height.coordinate)" viewBox="0 0 \(width.coordinate) \(height.coordinate)" \
    font-family="system-ui, sans-serif">
    \(elements.joined(separator: "\n"))
    </svg>

    """
  }
}

extension Double {
  fileprivate var coordinate: String {
    let text = String(format: "%.1f", self)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

extension String {
  fileprivate var escapedForXML: String {
    replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
