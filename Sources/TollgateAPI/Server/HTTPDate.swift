import Foundation
import Locking
import Tollgate

/// The form of dates in headers: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
  private static let latest = Locked((second: 0, text: ""))

  /// Written once a second.
  static var now: String {
    let second = time(nil)
    return latest.withLock { latest in
      if latest.second != second {
        latest = (second, text(of: CivilTime(secondsSince1970: Int64(second))))
      }
      return latest.text
    }
  }

  static func text(of time: CivilTime) -> String {
    var text = Array("\(weekdays[time.weekday]), ".utf8)
    text.append(decimal: time.day, width: 2)
    text += " \(months[time.month - 1]) ".utf8
    text.append(decimal: Int(time.year), width: 4)
    text.append(UInt8(ascii: " "))
    text.append(timeOfDay: time)
    text += " GMT".utf8
    return String(decoding: text, as: UTF8.self)
  }
}
