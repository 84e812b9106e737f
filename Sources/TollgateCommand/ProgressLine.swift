import Foundation
import TollgateStore

/// Shows on a terminal how far a verification has come, on standard error, in one line that it
/// writes over; nothing elsewhere.
struct ProgressLine: Sendable {
  private let isShown = isatty(STDERR_FILENO) == 1

  func show(_ progress: Verifier.Progress) {
    let percent = Int(progress.part * 100)
    write("\r\(percent) %, \(progress.accounts) accounts in \(progress.slices) slices\u{1B}[K")
  }

  func end() { write("\r\u{1B}[K") }

  private func write(_ text: String) {
    if isShown { FileHandle.standardError.write(Data(text.utf8)) }
  }
}
