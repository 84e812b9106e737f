import Postgres
import TestSupport

/// What happens to a worker's database for a time.
enum OutageFault: String, CaseIterable, Sendable {
  /// Its processes stand still.
  case stop
  /// Its processes are gone.
  case kill
  /// Nothing passes between worker and database, and nobody is told.
  case cut
  /// The way there takes 5 ms.
  case slowLink = "slow link"
  /// Somebody holds the lock of an account.
  case lockedRow = "locked row"
  /// No change of an account is possible: a CHECK fails.
  case brokenAccount = "broken account"
  /// Others have all its connections, and the worker has lost its own.
  case fullPool = "full pool"
  /// It is shut down, and comes back.
  case restart

  /// Whether requests that are not about the harmed account must not notice.
  var sparesOthers: Bool {
    switch self {
    case .slowLink, .lockedRow, .brokenAccount: true
    case .stop, .kill, .cut, .fullPool, .restart: false
    }
  }

  /// Whether requests about the harmed account may fail by a fault of the database's own.
  var breaksAccount: Bool { self == .brokenAccount }
}

extension OutageStage {
  /// Lets a fault happen, and returns when it is healed.
  func suffer(_ fault: OutageFault, for duration: Duration) async throws {
    switch fault {
    case .stop:
      let processes = try machine.freeze()
      try? await Task.sleep(for: duration)
      machine.thaw(processes)
    case .kill:
      try machine.lose()
      try await stopServer()
      try await Task.sleep(for: duration)
      try await startServerAgain()
    case .cut:
      wire.mute(true)
      try? await Task.sleep(for: duration)
      wire.mute(false)
    case .slowLink:
      let usual = wire.delay
      wire.delay = .milliseconds(5)
      try? await Task.sleep(for: duration)
      wire.delay = usual
    case .lockedRow: try await lockHarmedAccount(for: duration)
    case .brokenAccount:
      try await breakHarmedAccount()
      try await Task.sleep(for: duration)
      try await mendHarmedAccount()
    case .fullPool: try await fillServer(for: duration)
    case .restart:
      try await stopServer()
      try await Task.sleep(for: duration)
      try await startServerAgain()
    }
  }

  private func lockHarmedAccount(for duration: Duration) async throws {
    var configuration = ConnectionConfiguration(url: machine.url)
    configuration.statementTimeout = .seconds(60)
    let connection = Connection(configuration, name: "lock", logger: TestServer.logger)
    try await connection.execute(
      script: """
        BEGIN;
        SELECT FROM tollgate_data.accounts WHERE external_id = '\(Self.harmedAccount)' FOR UPDATE;
        SELECT pg_sleep(\(duration / .seconds(1)));
        ROLLBACK
        """, until: .now + .seconds(60))
    await connection.disconnect()
  }

  private func breakHarmedAccount() async throws {
    try await machine.execute(
      onTenants: """
        DO $$ BEGIN
          EXECUTE (
            SELECT format(
                     'ALTER TABLE tollgate_data.accounts'
                     ' ADD CONSTRAINT broken CHECK (account_id <> %s) NOT VALID', account_id)
              FROM tollgate_data.accounts
             WHERE external_id = '\(Self.harmedAccount)');
        END $$
        """)
  }

  private func mendHarmedAccount() async throws {
    try await machine.execute(
      onTenants: "ALTER TABLE tollgate_data.accounts DROP CONSTRAINT broken")
  }

  /// The worker's connections are cut while nothing passes, so that others get theirs first.
  private func fillServer(for duration: Duration) async throws {
    wire.mute(true)
    wire.cut { true }
    let taken = try await takeAllConnections()
    wire.mute(false)
    try? await Task.sleep(for: duration)
    for connection in taken { await connection.disconnect() }
  }
}
