import Postgres
import Tollgate

extension Timestamp: JSONWritable {
  /// 2000-01-01, in seconds since 1970.
  private static let epoch: Int64 = 946_684_800

  /// ISO 8601 in UTC, to the millisecond. By hand: Foundation's formatter takes longer than all the
  /// rest of a reply.
  public func write(to writer: inout JSONWriter) {
    let (seconds, microseconds) = microseconds.flooringDivision(by: 1_000_000)
    let time = CivilTime(secondsSince1970: seconds + Self.epoch)
    var text: [UInt8] = []
    text.reserveCapacity(26)
    text.append(UInt8(ascii: "\""))
    text.append(date: time)
    text.append(UInt8(ascii: "T"))
    text.append(timeOfDay: time)
    text.append(UInt8(ascii: "."))
    text.append(decimal: Int(microseconds / 1_000), width: 3)
    text.append(UInt8(ascii: "Z"))
    text.append(UInt8(ascii: "\""))
    writer.raw(bytes: text)
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
