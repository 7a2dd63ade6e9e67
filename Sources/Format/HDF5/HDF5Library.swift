import CHDF5
import Glibc

/// The one funnel for calls of libhdf5: the lock, the status check and the library's own words on a failure.
///
/// The library keeps global state and reuses ids at once, so all calls of the process share one lock. It is recursive
/// because closing a handle can happen inside another call.
enum HDF5Library {
  /// Runs calls of the library alone, its error printing silenced.
  static func locked<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    lock.lock()
    defer { lock.unlock() }
    _ = isStarted
    // Each thread has an error stack of its own, which prints itself unless it is told not to.
    _ = H5Eset_auto2(nn_h5e_default(), nil, nil)
    return try body()
  }

  /// Names of different bytes that Unicode takes for one, as dictionaries do.
  static func sameName(_ name: String, at place: String) -> FormatError {
    FormatError(.unsupported, "HDF5: the name \"\(name)\" is there twice, in different spellings of Unicode", at: place)
  }

  /// Runs one call and checks its status in the same critical section.
  ///
  /// - Parameters:
  ///   - action: what the call is for, as in "cannot {action}".
  ///   - place: where in the file.
  /// - Throws: `FormatError` of kind `malformed`, or `truncated` when the library says so, with its innermost message.
  @discardableResult
  static func call<Status: SignedInteger>(
    _ action: String, at place: String?, _ body: () -> Status
  ) throws(FormatError) -> Status {
    try locked { () throws(FormatError) in
      let status = body()
      guard status >= 0 else {
        let message = systemMessage(in: innermostMessage())
        if message.contains("truncated file") {
          throw FormatError(
            .truncated, "HDF5: the file is cut short (\(message))", at: place, advice: "Fetch or save the file again")
        }
        let advice =
          message.contains("bad version number")
          ? "A newer HDF5 library than the \(version) used here may have written the file; write it again with libver='v110'"
          : nil
        throw FormatError(.malformed, "HDF5: cannot \(action): \(message)", at: place, advice: advice)
      }
      return status
    }
  }

  /// The version of the linked library.
  static var version: String {
    var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
    locked { _ = unsafe H5get_libversion(&major, &minor, &release) }
    return "\(major).\(minor).\(release)"
  }

  private static let lock = RecursiveLock()

  private static let isStarted: Bool = {
    // A file that a full disk kept from being closed would be written again at exit, from memory that is gone.
    H5dont_atexit()
    return H5open() >= 0
  }()

  /// What the system said, where the library quotes it among addresses and times.
  private static func systemMessage(in message: String) -> String {
    let parts = message.split(separator: "error message = '", maxSplits: 1)
    guard parts.count == 2, let text = parts[1].split(separator: "'").first else { return message }
    return String(text)
  }

  /// The description of the deepest entry of the error stack.
  private static func innermostMessage() -> String {
    var message = "no reason given"
    unsafe withUnsafeMutablePointer(to: &message) { pointer in
      _ = unsafe H5Ewalk2(
        nn_h5e_default(), H5E_WALK_UPWARD,
        { depth, entry, context in
          if depth == 0, let text = unsafe entry?.pointee.desc {
            unsafe context?.assumingMemoryBound(to: String.self).pointee = String(cString: text)
          }
          return 0
        }, pointer)
    }
    return message
  }
}

/// A lock that its owner may take again.
@safe private final class RecursiveLock: Sendable {
  /// `nonisolated(unsafe)` holds because a mutex is made to be shared between threads.
  private nonisolated(unsafe) let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() {
    var attributes = pthread_mutexattr_t()
    unsafe pthread_mutexattr_init(&attributes)
    unsafe pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
    unsafe pthread_mutex_init(mutex, &attributes)
    unsafe pthread_mutexattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  func lock() { unsafe pthread_mutex_lock(mutex) }
  func unlock() { unsafe pthread_mutex_unlock(mutex) }
}
