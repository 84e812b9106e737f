import Foundation
import FoundationXML
import Testing

@testable import TollgateBench

@Suite struct ChartTests {
  private func isWellFormed(_ svg: String) -> Bool {
    XMLParser(data: Data(svg.utf8)).parse()
  }

  @Test func barsAndLinesAreWellFormed() {
    let page = ChartPage(charts: [
      BarChart(
        title: "A < B & C",
        bars: [
          BarChart.Bar(label: "a \"quoted\"", parts: [1, 2.5], note: "3.5"),
          BarChart.Bar(label: "b", parts: [0], note: ""),
        ], legend: ["x", "y"], mark: 1),
      LineChart(
        title: "grows", steps: ["1", "10", "100"],
        lines: [LineChart.Line(name: "s", values: [1, nil, 12_345])]),
    ])
    #expect(isWellFormed(page.svg))
    #expect(page.svg.contains("A &lt; B &amp; C"))
  }

  @Test func nothingMeasuredIsWellFormed() {
    #expect(isWellFormed(StandardCharts.page([]).svg))
    let empty = LineChart(title: "", steps: [], lines: [LineChart.Line(name: "", values: [])])
    #expect(isWellFormed(ChartPage(charts: [empty]).svg))
    #expect(empty.isEmpty)
  }
}
