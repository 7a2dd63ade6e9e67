internal import CKernels

/// Tells the processor that the caller waits in a loop.
@inline(__always) func spinPause() { nn_spin_pause() }

/// Processors that this process may run on, at least 1.
func processorCount() -> Int { nn_processor_count() }
