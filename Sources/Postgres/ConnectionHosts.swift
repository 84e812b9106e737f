import CLibpq

extension ConnectionConfiguration {
  /// One configuration for each host that the URL names, in their order.
  ///
  /// libpq goes on to the next host by itself when one refuses, but not when one is silent: that is
  /// for whoever waits to notice, and then it can only give up. So each host gets a share of the
  /// time instead. Of a host whose name has several addresses, libpq tries the next when one
  /// refuses.
  var byHost: [ConnectionConfiguration] {
    guard let options = Self.options(of: url) else { return [self] }
    let hosts = Self.list("host", options)
    let addresses = Self.list("hostaddr", options)
    let ports = Self.list("port", options)
    let count = max(hosts.count, addresses.count)
    guard count > 1 else { return [self] }
    return (0..<count).map { index in
      var one = self
      var options = options
      options["host"] = Self.element(index, of: hosts)
      options["hostaddr"] = Self.element(index, of: addresses)
      options["port"] = Self.element(ports.count == 1 ? 0 : index, of: ports)
      one.url = Self.connectionString(options)
      return one
    }
  }

  /// What a connection string or URL says; `nil` when libpq cannot read it.
  private static func options(of url: String) -> [String: String]? {
    guard let parsed = PQconninfoParse(url, nil) else { return nil }
    defer { PQconninfoFree(parsed) }
    var options: [String: String] = [:]
    var option = parsed
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val {
        options[String(cString: keyword)] = String(cString: value)
      }
      option += 1
    }
    return options
  }

  private static func list(_ keyword: String, _ options: [String: String]) -> [Substring] {
    options[keyword]?.split(separator: ",", omittingEmptySubsequences: false) ?? []
  }

  /// `nil`, which leaves it to libpq's default, for one that is not there or empty.
  private static func element(_ index: Int, of list: [Substring]) -> String? {
    list.indices.contains(index) && !list[index].isEmpty ? String(list[index]) : nil
  }

  private static func connectionString(_ options: [String: String]) -> String {
    options.sorted { $0.key < $1.key }.map { keyword, value in
      let quoted = value.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
      return "\(keyword)='\(quoted)'"
    }.joined(separator: " ")
  }
}
