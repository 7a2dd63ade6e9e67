internal import CKernels

/// Tells the processor that the caller waits in a loop.
@inline(__always) func spinPause() { nn_spin_pause() }

/// Keeps the calling thread on one of the processors that the first thread of the process may run on, by position and modulo their number; does nothing
/// where the system does not allow it.
func pinThread(toProcessor position: Int) { _ = nn_pin_thread(position) }

/// Processors that this process may run on, at least 1.
func processorCount() -> Int { nn_processor_count() }
