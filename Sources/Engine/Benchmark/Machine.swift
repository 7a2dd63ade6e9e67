import Glibc
import NNFormat

/// What a measurement was made on.
package struct Machine: Sendable {
  /// One level of data cache.
  package struct Cache: Sendable, Hashable {
    package let level: Int
    package let byteCount: Int
    /// Cores that share one such cache.
    package let sharing: Int

    package init(level: Int, byteCount: Int, sharing: Int) {
      self.level = level
      self.byteCount = byteCount
      self.sharing = max(sharing, 1)
    }

    /// Bytes that so many threads, each on its own core, hold in caches of this level together.
    package func capacity(threads: Int) -> Int { byteCount * max(1, (threads + sharing - 1) / sharing) }
  }

  /// The processor's own name.
  package let processor: String
  /// Cores that this process may run on.
  package let cores: Int
  package let instructionSets: [InstructionSet]
  /// The one that kernels are chosen from.
  package let chosen: InstructionSet
  package let caches: [Cache]
  package let memoryByteCount: Int
  package let system: String
  package let kernel: String
  /// The governor of the clock frequency, where the system tells.
  package let governor: String?
  /// Processes that wanted to run during the last minute, on average.
  package let load: Double?

  /// The machine that this process runs on.
  package static func current() -> Machine { Machine() }

  private init() {
    cores = ThreadPool.onlineProcessorCount
    instructionSets = InstructionSet.available
    chosen = .best
    let information = SystemFile.pairs("/proc/cpuinfo", separator: ":")
    processor =
      information["model name"] ?? information["Model"]
      ?? information["CPU part"].map { "CPU implementer \(information["CPU implementer"] ?? "?") part \($0)" }
      ?? "unknown"
    caches = Self.readCaches()
    memoryByteCount = max(sysconf(Int32(_SC_PHYS_PAGES)), 0) * max(sysconf(Int32(_SC_PAGESIZE)), 0)
    let release = SystemFile.pairs("/etc/os-release", separator: "=")
    system = (release["PRETTY_NAME"] ?? "unknown").filter { $0 != "\"" }
    kernel = SystemFile.line("/proc/sys/kernel/osrelease").map { "Linux \($0)" } ?? "unknown"
    governor = SystemFile.line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    load = SystemFile.line("/proc/loadavg").flatMap { $0.split(separator: " ").first.flatMap { Double($0) } }
  }

  private static func readCaches() -> [Cache] {
    var caches: [Cache] = []
    for index in 0..<8 {
      let folder = "/sys/devices/system/cpu/cpu0/cache/index\(index)"
      guard let level = SystemFile.line("\(folder)/level").flatMap({ Int($0) }),
        SystemFile.line("\(folder)/type") != "Instruction",
        let byteCount = SystemFile.line("\(folder)/size").flatMap(byteCount)
      else { continue }
      let sharing = SystemFile.line("\(folder)/shared_cpu_list").map(processorCount) ?? 1
      caches.append(Cache(level: level, byteCount: byteCount, sharing: sharing))
    }
    return caches
  }

  /// Bytes of a size such as `32K` or `1M`.
  package static func byteCount(_ text: String) -> Int? {
    let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
    guard let last = text.last else { return nil }
    guard let unit = units[last] else { return Int(text) }
    return Int(text.dropLast()).map { $0 * unit }
  }

  /// How many processors a list such as `0-3,8` names.
  package static func processorCount(_ list: String) -> Int {
    list.split(separator: ",").reduce(0) { sum, part in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      return sum + (ends.count == 2 ? max(ends[1] - ends[0] + 1, 0) : ends.count)
    }
  }

  /// The largest memory that this process ever had in use, in bytes, mapped files included.
  package static func peakByteCount() -> Int {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}

/// Small texts that the system offers as files.
private enum SystemFile {
  /// The whole text, up to 64 KiB; `nil` when it cannot be read.
  static func text(_ path: String) -> String? {
    let file = unsafe open(path, O_RDONLY)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    var used = 0
    while used < bytes.count {
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe read(file, $0.baseAddress.map { unsafe $0 + used }, $0.count - used)
      }
      guard count > 0 else { break }
      used += count
    }
    return String(decoding: bytes[..<used], as: UTF8.self)
  }

  static func line(_ path: String) -> String? {
    text(path)?.split(separator: "\n").first.map { $0.trimmed }
  }

  /// The first value of each key.
  static func pairs(_ path: String, separator: Character) -> [String: String] {
    var pairs: [String: String] = [:]
    for line in (text(path) ?? "").split(separator: "\n") {
      guard let mark = line.firstIndex(of: separator) else { continue }
      let key = line[..<mark].trimmed
      if pairs[key] == nil { pairs[key] = line[line.index(after: mark)...].trimmed }
    }
    return pairs
  }
}

extension Substring {
  fileprivate var trimmed: String {
    let start = drop { $0.isWhitespace }
    guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(start[...last])
  }
}
