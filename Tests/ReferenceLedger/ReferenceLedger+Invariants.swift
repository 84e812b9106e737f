extension ReferenceLedger {
  /// What must never be, if it is: money lost, doubled or spent without being there.
  public var violations: [String] {
    let open = Dictionary(grouping: holds.filter { $0.value.state == .reserved }) { $0.key.account }
    return accounts.flatMap { id, account in
      let held = open[id, default: []].reduce(0) { $0 + $1.value.lines.reduce(0) { $0 + $1.rest } }
      return account.violations(held: held).map { "\(id.tenant) \(id.name): \($0)" }
    } + holds.filter { !$0.value.isSound }.map { "\($0.key): \($0.value.lines)" }
  }
}

extension ReferenceLedger.Account {
  fileprivate func violations(held: Int64) -> [String] {
    let charged = entries.filter { $0.component != nil }.reduce(0) { $0 - $1.amount }
    let broken = [
      "balance \(balance) is not its entries'": balance != entries.reduce(0) { $0 + $1.amount },
      "reserved \(reserved) is not its holds' \(held)": reserved != held,
      "available is \(available)": available < 0,
      "usage is not its entries'": charged != usage.values.reduce(0) { $0 + $1.credits },
      "more than one allowance": entries.count { $0.source == nil } > 1,
    ]
    return broken.filter(\.value).map(\.key)
  }
}

extension ReferenceLedger.Hold {
  fileprivate var isSound: Bool {
    lines.allSatisfy { 0...$0.held ~= $0.captured } && (state == .reserved) == (closing == nil)
  }
}
