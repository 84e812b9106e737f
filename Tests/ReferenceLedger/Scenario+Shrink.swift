extension Scenario {
  /// The shortest scenario that was found to fail still, in at most `limit` attempts.
  public func shrunk(
    limit: Int = 600, while fails: (Scenario) async throws -> Bool
  ) async rethrows -> Scenario {
    var attempts = limit
    let fewSteps = try await Self.fewest(steps, &attempts) { try await fails(Scenario($0)) }
    let single = try await Self.fewest(Scenario(fewSteps).pieces, &attempts) {
      try await fails(Scenario(pieces: $0))
    }
    return Scenario(pieces: single)
  }

  /// Takes away ever smaller chunks for as long as what is left fails.
  private static func fewest<T>(
    _ all: [T], _ attempts: inout Int, while fails: ([T]) async throws -> Bool
  ) async rethrows -> [T] {
    var rest = all
    var size = max(1, all.count / 2)
    while attempts > 0 {
      let before = rest.count
      var start = 0
      while start < rest.count, attempts > 0 {
        let fewer = Array(rest[..<start] + rest[min(start + size, rest.count)...])
        attempts -= 1
        if try await fails(fewer) { rest = fewer } else { start += size }
      }
      if size == 1, rest.count == before { break }
      size = max(1, size / 2)
    }
    return rest
  }
}

extension Scenario {
  /// A command with the number of its batch, so that commands can be taken out of batches.
  private struct Piece {
    let batch: Int
    let step: Step
  }

  private var pieces: [Piece] {
    steps.enumerated().flatMap { number, step in
      guard case .batch(let commands) = step else { return [Piece(batch: number, step: step)] }
      return commands.map { Piece(batch: number, step: .batch([$0])) }
    }
  }

  private init(pieces: [Piece]) {
    var last: Int?
    steps = []
    for piece in pieces {
      if piece.batch == last, case .batch(let earlier) = steps.last,
        case .batch(let command) = piece.step
      {
        steps[steps.count - 1] = .batch(earlier + command)
      } else {
        steps.append(piece.step)
      }
      last = piece.batch
    }
  }
}
