import Postgres
import Tollgate

/// Puts the rows of a batch function back together: one outcome per item, in item order.
/// A row that cannot be read or an item without a row is an error; nothing is made up.
func collectOutcomes<Row, Outcome>(
  _ rows: [Row], count: Int, by item: (Row) -> Int32,
  merge: (Outcome?, Row) -> Outcome?
) throws(PostgresError) -> [Outcome] {
  var outcomes = [Outcome?](repeating: nil, count: count)
  for row in rows {
    let index = Int(item(row))
    guard outcomes.indices.contains(index), let outcome = merge(outcomes[index], row) else {
      throw PostgresError(.unexpectedResult, "an outcome that was not asked for")
    }
    outcomes[index] = outcome
  }
  let complete = outcomes.compactMap { $0 }
  guard complete.count == count else {
    throw PostgresError(.unexpectedResult, "an item without an outcome")
  }
  return complete
}

extension JSONB {
  init(_ json: JSON) { self.init(json.canonicalBytes) }

  /// Component → credits.
  init(_ credits: [String: Int64]) {
    self.init(.object(credits.mapValues { .integer($0) }))
  }
}
