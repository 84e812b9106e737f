import Foundation
import Tollgate

/// What a script or a person needs to use a running `tollgate dev`.
struct DevFacts {
  private let example: ExampleTenant
  private let url: String

  init(_ example: ExampleTenant, url: String) {
    self.example = example
    self.url = url
  }

  /// Writes the facts as JSON. The file appears when all of them are true.
  func write(to file: URL) {
    var writer = JSONWriter()
    writer.object { writer in
      writer.field("url", url)
      writer.field("database_url", example.databaseURL)
      writer.field("tenant", ExampleTenant.name)
      writer.field("admin_key", example.adminKey)
      writer.field("service_key", example.serviceKey)
      writer.field("account_id", ExampleTenant.account)
      writer.field("account_key", example.accountKey)
    }
    PrivateFile.write(Data(writer.bytes + [UInt8(ascii: "\n")]), to: file.path)
  }

  /// `curl` lines that work when pasted.
  var tour: String {
    """

    Tollgate serves on \(url). A tour, to paste:

    SERVICE='Authorization: Bearer \(example.serviceKey)'
    ACCOUNT='Authorization: Bearer \(example.accountKey)'
    ADMIN='Authorization: Bearer \(example.adminKey)'
    CREDITS=\(url)/v1/credits

    # Hold the price of 2 personas; the first call creates the account with its allowance.
    curl -s -H "$SERVICE" -H 'Idempotency-Key: tour-1' $CREDITS/actions/reserve -d '{
      "account_id": "\(ExampleTenant.account)", "operation": "personas.generate",
      "input": {"prompt": "night-shift nurses", "count": 2}}'

    # Only one was made: charge for one, free the rest.
    curl -s -H "$SERVICE" $CREDITS/actions/capture -d '{
      "account_id": "\(ExampleTenant.account)", "idempotency_key": "tour-1",
      "quantities": {"count": 1}}'

    # Too much for the balance: 402, with what would fit.
    curl -s -H "$SERVICE" $CREDITS/actions/reserve -d '{
      "account_id": "\(ExampleTenant.account)", "operation": "personas.generate",
      "input": {"count": 100}}'

    # Top up, and read what was used.
    curl -s -H "$ADMIN" $CREDITS/actions/grant -d '{
      "account_id": "\(ExampleTenant.account)", "credits": 5000, "reason": "invoice 1001"}'
    curl -s -H "$ACCOUNT" $CREDITS/projections/usage-summary -d '{}'

    # The same ledger in SQL.
    psql '\(example.databaseURL)' -c 'SELECT * FROM tollgate.ledger'

    Ctrl-C stops it; the data stays.
    """
  }
}
