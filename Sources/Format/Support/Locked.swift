import Glibc

/// A value that one thread at a time touches, the others waiting.
///
/// Not `Synchronization.Mutex`: the kernel hands that from one waiting thread to the next, of which the thread sanitizer sees
/// nothing, so that it reports a race wherever two threads meet. It knows `pthread_mutex_t`.
///
/// `@unchecked Sendable` holds because the value is touched under the mutex alone.
@safe package final class Locked<Value: Sendable>: @unchecked Sendable {
  @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
  @usableFromInline var value: Value

  @inlinable package init(_ value: Value) {
    self.value = value
    unsafe mutex = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
  }

  deinit {
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  /// Runs a closure while no other thread touches the value; it must not ask for the same value again.
  @inlinable package func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return try body(&value)
  }
}
