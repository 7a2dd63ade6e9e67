/// The random numbers of MT19937 (Makoto Matsumoto and Takuji Nishimura, 1998), which the standard's reference draws.
///
/// The state lies in memory of the caller.
@unsafe struct MersenneTwister {
  static let stateByteCount = 624 * MemoryLayout<UInt32>.stride

  private let state: UnsafeMutablePointer<UInt32>
  private var position = 624

  /// Fills the state, 624 words, from a seed.
  init(seed: UInt32, state: UnsafeMutablePointer<UInt32>) {
    unsafe self.state = state
    unsafe state[0] = seed
    for index in 1..<624 {
      let previous = unsafe state[index - 1]
      unsafe state[index] = 1_812_433_253 &* (previous ^ (previous >> 30)) &+ UInt32(index)
    }
  }

  /// The next number of 32 bits.
  mutating func next() -> UInt32 {
    if unsafe position == 624 { unsafe renew() }
    var word = unsafe state[position]
    unsafe position += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9d2c_5680
    word ^= (word << 15) & 0xefc6_0000
    return word ^ (word >> 18)
  }

  /// The next number in 0 ..< 1, with 53 random bits from two words.
  mutating func nextUnit() -> Double {
    let (high, low) = unsafe (next() >> 5, next() >> 6)
    return (Double(high) * 67_108_864 + Double(low)) / 9_007_199_254_740_992
  }

  private mutating func renew() {
    for index in 0..<624 {
      let word = unsafe (state[index] & 0x8000_0000) | (state[(index + 1) % 624] & 0x7fff_ffff)
      unsafe state[index] = state[(index + 397) % 624] ^ (word >> 1) ^ (word & 1 == 0 ? 0 : 0x9908_b0df)
    }
    unsafe position = 0
  }
}
