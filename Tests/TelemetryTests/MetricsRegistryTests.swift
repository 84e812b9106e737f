import Metrics
import Telemetry
import Testing

@Suite struct MetricsRegistryTests {
  @Test func aCounterIsOneLine() {
    let registry = MetricsRegistry()
    let counter = Counter(label: "calls_total", dimensions: [("kind", "a")], factory: registry)
    counter.increment()
    counter.increment(by: 2)
    #expect(registry.text == "# TYPE calls_total counter\ncalls_total{kind=\"a\"} 3\n")
  }

  @Test func oneIDIsOneMetric() {
    let registry = MetricsRegistry()
    for _ in 0..<2 { Counter(label: "calls_total", factory: registry).increment() }
    #expect(registry.text == "# TYPE calls_total counter\ncalls_total 2\n")
  }

  @Test func aSecondMetricOfAnotherKindIsNotShown() {
    let registry = MetricsRegistry()
    Counter(label: "x", factory: registry).increment()
    Gauge(label: "x", factory: registry).record(7)
    #expect(registry.text == "# TYPE x counter\nx 1\n")
  }

  @Test func aGaugeIsUnknownUntilItIsRecorded() {
    let registry = MetricsRegistry()
    let gauge = Gauge(label: "level", factory: registry)
    #expect(registry.text == "# TYPE level gauge\nlevel NaN\n")
    gauge.record(2.5)
    #expect(registry.text == "# TYPE level gauge\nlevel 2.5\n")
  }

  @Test func aHistogramCountsUpToEachBound() {
    let registry = MetricsRegistry()
    let sizes = Recorder(label: "size", factory: registry)
    for size in [1, 3, 5_000] { sizes.record(size) }
    let lines = registry.text.split(separator: "\n")
    #expect(lines.contains(#"size_bucket{le="1"} 1"#))
    #expect(lines.contains(#"size_bucket{le="2"} 1"#))
    #expect(lines.contains(#"size_bucket{le="4"} 2"#))
    #expect(lines.contains(#"size_bucket{le="1024"} 2"#))
    #expect(lines.suffix(3) == [#"size_bucket{le="+Inf"} 3"#, "size_sum 5004", "size_count 3"])
  }

  @Test func aTimerIsInSeconds() {
    let registry = MetricsRegistry()
    let timer = Timer(label: "wait_seconds", dimensions: [("lane", "0")], factory: registry)
    timer.record(duration: .milliseconds(1_500))
    #expect(registry.text.contains("wait_seconds_bucket{lane=\"0\",le=\"1\"} 0\n"))
    #expect(registry.text.contains("wait_seconds_bucket{lane=\"0\",le=\"2\"} 1\n"))
    #expect(registry.text.contains("wait_seconds_sum{lane=\"0\"} 1.5\n"))
  }

  @Test func whatALabelHoldsIsEscaped() {
    let registry = MetricsRegistry()
    Counter(label: "a.b-c", dimensions: [("k", "\"\\\n")], factory: registry).increment()
    #expect(registry.text == "# TYPE a_b_c counter\na_b_c{k=\"\\\"\\\\\\n\"} 1\n")
  }

  @Test func aDestroyedMetricIsNotShown() {
    let registry = MetricsRegistry()
    Counter(label: "x", factory: registry).destroy()
    #expect(registry.text == "")
  }

  @Test func concurrentIncrementsAreAllCounted() async {
    let registry = MetricsRegistry()
    let counter = Counter(label: "x", factory: registry)
    await withTaskGroup { group in
      for _ in 0..<8 {
        group.addTask { for _ in 0..<10_000 { counter.increment() } }
      }
    }
    #expect(registry.text == "# TYPE x counter\nx 80000\n")
  }
}
