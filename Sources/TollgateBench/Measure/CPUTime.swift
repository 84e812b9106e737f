import Foundation

/// Processor time in seconds, as the kernel counts it for a process: in its own code, and in the
/// kernel on its behalf.
struct CPUTime: Sendable {
  var user = 0.0
  var system = 0.0

  var total: Double { user + system }

  static func + (left: CPUTime, right: CPUTime) -> CPUTime {
    CPUTime(user: left.user + right.user, system: left.system + right.system)
  }

  static func - (left: CPUTime, right: CPUTime) -> CPUTime {
    CPUTime(user: left.user - right.user, system: left.system - right.system)
  }
}

/// A line of `/proc/<pid>/stat`.
struct ProcessStatus {
  private static let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))

  let parent: Int32
  let own: CPUTime
  /// Of its children that ended and were waited for.
  let endedChildren: CPUTime

  /// `nil` when there is no such process.
  init?(_ process: Int32) {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else {
      return nil
    }
    self.init(line: text)
  }

  init?(line: String) {
    // The name, in parentheses, may hold anything.
    guard let nameEnd = line.lastIndex(of: ")") else { return nil }
    let fields = line[nameEnd...].split(separator: " ").dropFirst().map { Int64($0) ?? 0 }
    guard fields.count > 14 else { return nil }
    func seconds(_ index: Int) -> Double { Double(fields[index]) / Self.ticks }
    parent = Int32(truncatingIfNeeded: fields[1])
    own = CPUTime(user: seconds(11), system: seconds(12))
    endedChildren = CPUTime(user: seconds(13), system: seconds(14))
  }
}

extension CPUTime {
  static func of(_ processes: [Int32]) -> CPUTime {
    processes.compactMap { ProcessStatus($0)?.own }.reduce(CPUTime(), +)
  }

  /// A process with all its children: those that live, and those that ended.
  static func ofFamily(_ process: Int32) -> CPUTime {
    guard let head = ProcessStatus(process) else { return CPUTime() }
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let children = entries.compactMap { Int32($0) }.compactMap { ProcessStatus($0) }
      .filter { $0.parent == process }
    return children.map(\.own).reduce(head.own + head.endedChildren, +)
  }

  /// What all processors of the machine did, and what its host took from them, in seconds.
  static func ofMachine() -> Double {
    let text = (try? String(contentsOfFile: "/proc/stat", encoding: .utf8)) ?? ""
    let fields = text.prefix { $0 != "\n" }.split(separator: " ").compactMap { Double($0) }
    guard fields.count > 7 else { return 0 }
    // user nice system idle iowait irq softirq steal
    return (fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7])
      / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}

/// Megabytes of memory a process has in use.
func residentMegabytes(_ process: Int32) -> Double {
  let text = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
  let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
  return (line?.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0) / 1024
}
