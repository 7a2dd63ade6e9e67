@unsafe @preconcurrency import Glibc
import Synchronization

/// Whether the user asked the program to stop (SIGINT, SIGTERM), for work that ends in good order.
enum Interrupt {
  private static let flag = Atomic<Bool>(false)

  /// Takes note of the signals from now on instead of ending at once; a second one ends at once.
  static func listen() {
    // Whoever started this program may have blocked them.
    var signals = unsafe sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] { unsafe sigaddset(&signals, number) }
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        Interrupt.flag.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }

  /// Whether a signal came.
  static var wasRequested: Bool { flag.load(ordering: .relaxed) }
}
