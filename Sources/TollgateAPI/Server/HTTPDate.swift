import Foundation
import Tollgate

/// The form of dates in headers: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  static var now: String { text(of: CivilTime(secondsSince1970: Int64(time(nil)))) }

  static func text(of time: CivilTime) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(29)
    bytes += "\(weekdays[time.weekday]), ".utf8
    bytes.append(decimal: Int64(time.day), width: 2)
    bytes += " \(months[time.month - 1]) ".utf8
    bytes.append(decimal: time.year, width: 4)
    for (separator, number) in [(" ", time.hour), (":", time.minute), (":", time.second)] {
      bytes += separator.utf8
      bytes.append(decimal: Int64(number), width: 2)
    }
    bytes += " GMT".utf8
    return String(decoding: bytes, as: UTF8.self)
  }
}
