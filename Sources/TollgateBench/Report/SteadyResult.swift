import Postgres

/// What a worker under load for half an hour did, minute by minute, and what it left.
struct SteadyResult: Codable, Sendable {
  /// The size of a table or an index, and what it holds.
  struct Relation: Codable, Sendable {
    let name: String
    let table: String
    let bytes: Int64
    /// Of its table, as autovacuum counts them.
    let rows: Int64
    let deadRows: Int64
    let updates: Int64
    /// Updates that touched no index.
    let hotUpdates: Int64
    let autovacuums: Int64

    var bytesPerRow: Double { Double(bytes) / Double(max(1, rows)) }
  }

  /// The database at one moment.
  struct Moment: Codable, Sendable {
    let cycles: Int
    let relations: [Relation]

    var bytes: Int64 { relations.reduce(0) { $0 + $1.bytes } }
  }

  var cyclesPerMinute: [Int] = []
  /// Megabytes that the worker holds, by requests served so far; one value per minute as well.
  var megabytesAfter500Thousand: Double?
  var megabytesAfter5Million: Double?
  var megabytesPerMinute: [Double] = []
  /// At the start, half way, and at the end.
  var moments: [Moment] = []
}

extension SteadyResult {
  /// The last whole minute against the first one.
  var pace: Double? {
    guard let first = cyclesPerMinute.first, let last = cyclesPerMinute.last, first > 0,
      cyclesPerMinute.count > 1
    else { return nil }
    return Double(last) / Double(first)
  }

  var memoryGrowth: Double? {
    guard let megabytesAfter5Million, let megabytesAfter500Thousand else { return nil }
    return megabytesAfter5Million / megabytesAfter500Thousand
  }

  /// Bytes that a cycle adds to all tables and indexes in the second half, against the first.
  var growth: Double? {
    guard moments.count == 3 else { return nil }
    let halves = zip(moments, moments.dropFirst()).map { before, after in
      Double(after.bytes - before.bytes) / Double(max(1, after.cycles - before.cycles))
    }
    return halves[0] > 0 ? halves[1] / halves[0] : nil
  }
}

extension SteadyResult.Relation {
  static let statement = Statement(
    name: "relations",
    sql: """
      SELECT c.relname::text, t.relname::text, pg_relation_size(c.oid), s.n_live_tup, s.n_dead_tup,
             s.n_tup_upd, s.n_tup_hot_upd, s.autovacuum_count
        FROM pg_stat_user_tables s
        JOIN pg_class t ON t.oid = s.relid
        JOIN LATERAL (SELECT t.oid UNION ALL
                      SELECT indexrelid FROM pg_index WHERE indrelid = t.oid) r ON true
        JOIN pg_class c ON c.oid = r.oid
       WHERE s.schemaname = 'tollgate_data' AND pg_relation_size(t.oid) > 65536
       ORDER BY t.relname, c.relkind DESC, c.relname
      """)

  init(_ row: inout Row) throws(PostgresError) {
    name = try row.next()
    table = try row.next()
    bytes = try row.next()
    rows = try row.next()
    deadRows = try row.next()
    updates = try row.next()
    hotUpdates = try row.next()
    autovacuums = try row.next()
  }
}

extension Table {
  /// The sizes at the end.
  init(relations result: SteadyResult) {
    self.init(header: [
      "table or index", "MB", "rows", "bytes/row", "at start", "dead", "updates", "HOT",
      "autovacuums",
    ])
    let first = result.moments.first?.relations ?? []
    for relation in result.moments.last?.relations ?? [] {
      let before = first.first { $0.name == relation.name }
      rows.append([
        relation.name, (Double(relation.bytes) / 1e6).short, Double(relation.rows).short,
        relation.bytesPerRow.short, before?.bytesPerRow.short ?? "",
        Double(relation.deadRows).short, Double(relation.updates).short,
        (Double(relation.hotUpdates) / Double(max(1, relation.updates))).short,
        "\(relation.autovacuums)",
      ])
    }
  }
}
