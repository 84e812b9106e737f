/// An instant as date and time of day in UTC.
public struct CivilTime: Sendable, Hashable {
  public let year: Int64
  /// 1 to 12.
  public let month: Int
  /// 1 to 31.
  public let day: Int
  /// 0 for Sunday to 6.
  public let weekday: Int
  /// 0 to 86,399.
  public let secondOfDay: Int

  /// - Parameter seconds: since 1970-01-01 UTC, without leap seconds.
  public init(secondsSince1970 seconds: Int64) {
    let (days, second) = seconds.flooringDivision(by: 86_400)
    secondOfDay = Int(second)
    weekday = Int((days + 4).flooringDivision(by: 7).remainder)
    // Years that begin in March put the leap day at the end, and 400 of them are 146,097 days.
    // 1970-01-01 is day 719,468 since March of the year 0.
    let (era, dayOfEra) = (days + 719_468).flooringDivision(by: 146_097)
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = Int(dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100))
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  public var hour: Int { secondOfDay / 3_600 }
  public var minute: Int { secondOfDay / 60 % 60 }
  public var second: Int { secondOfDay % 60 }
}

extension Int64 {
  /// The remainder is never negative. `divisor` must be positive.
  package func flooringDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}

extension [UInt8] {
  /// Appends `YYYY-MM-DD`.
  package mutating func append(date time: CivilTime) {
    append(decimal: Int(time.year), width: 4)
    append(UInt8(ascii: "-"))
    append(decimal: time.month, width: 2)
    append(UInt8(ascii: "-"))
    append(decimal: time.day, width: 2)
  }

  /// Appends `hh:mm:ss`.
  package mutating func append(timeOfDay time: CivilTime) {
    append(decimal: time.hour, width: 2)
    append(UInt8(ascii: ":"))
    append(decimal: time.minute, width: 2)
    append(UInt8(ascii: ":"))
    append(decimal: time.second, width: 2)
  }

  /// Appends the digits of a number, with zeros in front up to `width`.
  package mutating func append(decimal number: Int, width: Int) {
    if number >= 10 || width > 1 { append(decimal: number / 10, width: width - 1) }
    append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: (number % 10).magnitude))
  }
}
