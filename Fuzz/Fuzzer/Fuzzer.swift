import Foundation
import FuzzTargets

/// The target that `NNFMT_FUZZ_TARGET` names.
private let target: FuzzTarget = {
  let name = variable("NNFMT_FUZZ_TARGET") ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    stop("NNFMT_FUZZ_TARGET is \"\(name)\", not one of \(FuzzTarget.allCases.map(\.rawValue))")
  }
  return target
}()

private func variable(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }

private func stop(_ reason: String) -> Never {
  FileHandle.standardError.write(Data("\(reason)\n".utf8))
  abort()
}

/// Lists the targets (`NNFMT_FUZZ_LIST`), or writes the target's seeds of at most `NNFMT_FUZZ_LIMIT` bytes into a folder
/// (`NNFMT_FUZZ_SEEDS`), instead of fuzzing.
@_cdecl("LLVMFuzzerInitialize") public func initialize(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer
) -> CInt {
  if variable("NNFMT_FUZZ_LIST") != nil {
    for target in FuzzTarget.allCases { print(target.rawValue) }
    exit(0)
  }
  guard let folder = variable("NNFMT_FUZZ_SEEDS") else { return 0 }
  do {
    for (name, bytes) in try target.seeds(limit: variable("NNFMT_FUZZ_LIMIT").flatMap { Int($0) } ?? 4096) {
      try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name.replacing("/", with: "-"))"))
    }
  } catch {
    stop("the seeds cannot be written: \(error)")
  }
  exit(0)
}

/// Runs the target on one input; a contradiction ends the program as a crash does.
@_cdecl("LLVMFuzzerTestOneInput") public func runOnce(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
  do { try target.run(bytes) } catch { stop("contradiction: \(error)") }
  return 0
}
