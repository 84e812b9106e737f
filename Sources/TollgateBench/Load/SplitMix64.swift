/// A small fast generator. The system's asks the kernel for every number.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// 1 to `limit`.
  mutating func number(upTo limit: Int) -> Int {
    1 + Int(next().multipliedFullWidth(by: UInt64(limit)).high)
  }

  /// From 0 up to but not including 1.
  mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }
}
