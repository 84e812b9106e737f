/// Something that draws itself at a height of a page.
protocol Chart {
  var title: String { get }
  /// Whether there is nothing to show.
  var isEmpty: Bool { get }
  /// Without the title.
  var height: Double { get }
  func draw(into svg: inout SVG, top: Double)
}

/// Charts, one below the other.
struct ChartPage {
  static let width = 760.0
  private static let gap = 34.0

  var charts: [any Chart] = []

  var svg: String {
    var svg = SVG()
    var top = 8.0
    for chart in charts where !chart.isEmpty {
      svg.text(chart.title, 10, top + 14, size: 14, isBold: true)
      chart.draw(into: &svg, top: top + 26)
      top += 26 + chart.height + Self.gap
    }
    return svg.document(width: Self.width, height: top)
  }
}
