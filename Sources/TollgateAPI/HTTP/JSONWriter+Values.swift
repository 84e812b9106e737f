import Foundation
import Postgres
import Tollgate

extension Timestamp: JSONWritable {
  private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  /// ISO 8601 in UTC, to the millisecond.
  public func write(to writer: inout JSONWriter) {
    writer.value(date.formatted(Self.style))
  }
}

extension JSONWriter {
  mutating func field(_ name: String, _ lines: [PriceLine]) {
    array(name) { writer in
      for line in lines {
        writer.object { writer in
          writer.field("component", line.component)
          writer.field("credits", line.credits)
        }
      }
    }
  }
}
