import Foundation

/// Lines over a horizontal axis whose steps are the points themselves, evenly apart: sizes that
/// grow by factors.
struct LineChart: Chart {
  struct Line {
    let name: String
    /// One per step; `nil` where nothing was measured.
    let values: [Double?]
  }

  let title: String
  let steps: [String]
  let lines: [Line]
  let height = 210.0

  var isEmpty: Bool { lines.allSatisfy { $0.values.allSatisfy { $0 == nil } } }

  private static let left = 70.0
  private static let right = 170.0
  private static let bottom = 24.0

  /// The top of the vertical axis: a round number at or above all values.
  private var ceiling: Double {
    let largest = lines.flatMap(\.values).compactMap { $0 }.max() ?? 1
    let magnitude = pow(10, floor(log10(max(largest, .ulpOfOne))))
    return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map { $0 * magnitude }.first { $0 >= largest }
      ?? largest
  }

  func draw(into svg: inout SVG, top: Double) {
    drawAxes(into: &svg, top: top)
    for (index, line) in lines.enumerated() {
      let colour = SVG.colours[index % 4]
      let points = line.values.enumerated().compactMap { step, value in
        value.map { (x: x(step), y: y($0, top)) }
      }
      svg.line(points, colour: colour, width: 2)
      for point in points { svg.circle(point.x, point.y, radius: 3, colour: colour) }
      guard let last = points.last else { continue }
      svg.text(line.name, last.x + 10, last.y + 4, colour: colour)
    }
  }

  private func drawAxes(into svg: inout SVG, top: Double) {
    for quarter in 0...4 {
      let value = ceiling * Double(quarter) / 4
      let height = y(value, top)
      svg.rectangle(
        Self.left, height, width: ChartPage.width - Self.left - Self.right, height: 0.5,
        colour: SVG.ink, opacity: 0.5)
      svg.text(value.short, Self.left - 6, height + 4, anchor: .end, size: 11)
    }
    for (index, step) in steps.enumerated() where isLabelled(index) {
      svg.text(step, x(index), top + height - 6, anchor: .middle, size: 11)
    }
  }

  /// Not more labels than there is room for.
  private func isLabelled(_ step: Int) -> Bool {
    step.isMultiple(of: max(1, (steps.count + 11) / 12))
  }

  private func x(_ step: Int) -> Double {
    let width = ChartPage.width - Self.left - Self.right - 20
    return Self.left + 10 + width * Double(step) / Double(max(1, steps.count - 1))
  }

  private func y(_ value: Double, _ top: Double) -> Double {
    top + (height - Self.bottom) * (1 - value / ceiling) + 4
  }
}
