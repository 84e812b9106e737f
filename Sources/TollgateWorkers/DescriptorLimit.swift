import Foundation

/// How many files and connections this process may have open.
enum DescriptorLimit {
  /// What the worker itself needs: its database, its logs, its event loops, and room to spare.
  private static let own = 100

  /// How many connections of clients there is room for, when the process has been given all that
  /// the system lets it have: what it begins with is often too little for a server.
  static func roomForClients() -> Int {
    #if canImport(Glibc)
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
      let resource = RLIMIT_NOFILE
    #endif
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return .max }
    var raised = limit
    raised.rlim_cur = raised.rlim_max
    if setrlimit(resource, &raised) == 0 { limit = raised }
    return max(1, (Int(exactly: limit.rlim_cur) ?? .max) - own)
  }
}
