extension TestGate {
  /// The head of a POST to `/v1/credits/<path>` as it is sent, with some headers besides.
  ///
  /// - Parameter token: `nil` for the service's key.
  public func head(_ path: String, _ headers: [String], token: String? = nil) -> String {
    let all =
      [
        "POST /v1/credits/\(path) HTTP/1.1", "Host: localhost",
        "Authorization: Bearer \(token ?? serviceKey)",
      ] + headers
    return all.map { $0 + "\r\n" }.joined() + "\r\n"
  }

  /// A whole request, as it is sent.
  public func raw(
    _ path: String, _ body: String, id: String = "id", token: String? = nil,
    headers: [String] = []
  ) -> String {
    head(
      path, ["X-Request-ID: \(id)", "Content-Length: \(body.utf8.count)"] + headers, token: token)
      + body
  }
}
