extension PostgresError.Code {
  /// By the SQLSTATE with which a server refuses to write, also where it was not asked to yet.
  static let readOnly = Self.server(sqlState: "25006")
}

extension PostgresError {
  /// Whether the server takes no writes. What was to be written was not.
  public var isReadOnly: Bool { code == .readOnly }
}
