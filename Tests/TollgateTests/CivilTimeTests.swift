import Testing
import Tollgate

@Suite struct CivilTimeTests {
  private static func text(_ seconds: Int64) -> String {
    let time = CivilTime(secondsSince1970: seconds)
    var text: [UInt8] = []
    text.append(date: time)
    text.append(UInt8(ascii: " "))
    text.append(timeOfDay: time)
    return String(decoding: text, as: UTF8.self)
  }

  @Test(arguments: [
    (0, "1970-01-01 00:00:00"), (-1, "1969-12-31 23:59:59"), (951_868_799, "2000-02-29 23:59:59"),
    (1_795_379_349, "2026-11-22 20:29:09"), (4_107_542_400, "2100-03-01 00:00:00"),
    (253_402_300_799, "9999-12-31 23:59:59"), (253_402_300_800, "10000-01-01 00:00:00"),
  ])
  func knownInstants(seconds: Int64, text: String) {
    #expect(Self.text(seconds) == text)
  }

  /// Against a calendar that only counts: every day of 800 years.
  @Test func everyDayFollowsTheOneBefore() throws {
    var (year, month, day, weekday) = (Int64(1600), 1, 1, 6)
    for dayNumber in Int64(-135_140)..<157_054 {
      let time = CivilTime(secondsSince1970: dayNumber * 86_400 + 3_723)
      let isRight = time.year == year && time.month == month && time.day == day
      try #require(isRight && time.weekday == weekday && time.secondOfDay == 3_723)
      weekday = (weekday + 1) % 7
      day += 1
      if day > Self.length(of: month, year) { (month, day) = (month + 1, 1) }
      if month > 12 { (year, month) = (year + 1, 1) }
    }
    #expect(year == 2400)
  }

  private static func length(of month: Int, _ year: Int64) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  @Test func noInstantTraps() {
    for seconds in [Int64.min / 1_000_000, Int64.max / 1_000_000] {
      #expect(!Self.text(seconds).isEmpty)
    }
  }
}
