/// Horizontal bars, each of one or several parts that are stacked.
struct BarChart: Chart {
  struct Bar {
    let label: String
    let parts: [Double]
    /// Behind the bar.
    let note: String

    var length: Double { parts.reduce(0, +) }
  }

  let title: String
  let bars: [Bar]
  /// What the parts are; none for bars of one part.
  var legend: [String] = []
  /// A value to mark across all bars.
  var mark: Double?

  private static let labelWidth = 190.0
  private static let noteWidth = 150.0
  private static let rowHeight = 22.0

  var height: Double { Double(bars.count) * Self.rowHeight + legendHeight }

  var isEmpty: Bool { bars.isEmpty }

  private var legendHeight: Double { legend.isEmpty ? 0 : 22 }
  private var largest: Double { max(bars.map(\.length).max() ?? 0, mark ?? 0, .ulpOfOne) }
  private var scale: Double {
    (ChartPage.width - Self.labelWidth - Self.noteWidth) / largest
  }

  func draw(into svg: inout SVG, top: Double) {
    drawLegend(into: &svg, top: top)
    drawMark(into: &svg, top: top)
    for (index, bar) in bars.enumerated() {
      draw(bar, into: &svg, top: top + legendHeight + Double(index) * Self.rowHeight)
    }
  }

  private func drawMark(into svg: inout SVG, top: Double) {
    guard let mark else { return }
    let x = Self.labelWidth + mark * scale
    svg.rectangle(
      x, top + legendHeight, width: 1, height: height - legendHeight, colour: SVG.ink,
      opacity: 0.5)
  }

  private func draw(_ bar: Bar, into svg: inout SVG, top: Double) {
    svg.text(bar.label, Self.labelWidth - 8, top + 15, anchor: .end)
    var x = Self.labelWidth
    for (index, part) in bar.parts.enumerated() {
      svg.rectangle(
        x, top + 3, width: part * scale, height: 16, colour: SVG.colours[index % 4])
      x += part * scale
    }
    svg.text(bar.note, x + 6, top + 15)
  }

  private func drawLegend(into svg: inout SVG, top: Double) {
    for (index, name) in legend.enumerated() {
      let x = Self.labelWidth + Double(index) * 130
      svg.rectangle(x, top + 2, width: 10, height: 10, colour: SVG.colours[index % 4])
      svg.text(name, x + 15, top + 12)
    }
  }
}
