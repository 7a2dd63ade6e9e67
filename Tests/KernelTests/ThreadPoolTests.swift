import Glibc
import NNEngine
import Synchronization
import Testing

@Suite struct ThreadPoolTests {
  @Test(arguments: [1, 2, 3, 5])
  func everyTaskRunsOnce(threads: Int) {
    let pool = ThreadPool(threads: threads)
    #expect(pool.threadCount == threads)
    for tasks in [0, 1, 2, 3, 7, 64, 1000] {
      let sum = Atomic<Int>(0)
      let count = Atomic<Int>(0)
      pool.parallelFor(tasks: tasks) { task in
        sum.add(task, ordering: .relaxed)
        count.add(1, ordering: .relaxed)
      }
      #expect(count.load(ordering: .relaxed) == tasks)
      #expect(sum.load(ordering: .relaxed) == tasks * (tasks - 1) / 2)
    }
  }

  @Test func pinnedWorkersKeepToOneProcessor() {
    let pool = ThreadPool(threads: 3, isPinned: true)
    let caller = pthread_self()
    let widest = Atomic<Int>(0)
    // The caller is slow, so that the workers, who may have to wake up first, get a share.
    for _ in 0..<10_000 where widest.load(ordering: .relaxed) == 0 {
      pool.parallelFor(tasks: 12) { _ in
        if pthread_equal(pthread_self(), caller) != 0 {
          usleep(100)
        } else {
          widest.max(ThreadPool.callerProcessorCount, ordering: .relaxed)
        }
      }
    }
    #expect(widest.load(ordering: .relaxed) == 1)
    #expect(ThreadPool.callerProcessorCount == ThreadPool.onlineProcessorCount)
  }

  @Test func manySmallRoundsSeeTheirOwnWrites() {
    let pool = ThreadPool(threads: 3)
    var values = [Int](repeating: 0, count: 16)
    for _ in 0..<20_000 {
      unsafe values.withUnsafeMutableBufferPointer { buffer in
        let buffer = unsafe buffer
        pool.parallelFor(tasks: 16) { task in unsafe buffer[task] += task }
      }
    }
    #expect(values == (0..<16).map { $0 * 20_000 })
  }

  @Test func sleepingWorkersWakeUp() {
    let pool = ThreadPool(threads: 2)
    let count = Atomic<Int>(0)
    for _ in 0..<20 {
      usleep(2000)
      pool.parallelFor(tasks: 4) { _ in count.add(1, ordering: .relaxed) }
    }
    #expect(count.load(ordering: .relaxed) == 80)
  }

  @Test func nestedLoopsRunInline() {
    let pool = ThreadPool(threads: 3)
    let count = Atomic<Int>(0)
    pool.parallelFor(tasks: 8) { _ in
      pool.parallelFor(tasks: 8) { _ in
        pool.parallelFor(tasks: 2) { _ in count.add(1, ordering: .relaxed) }
      }
    }
    #expect(count.load(ordering: .relaxed) == 128)
  }

  @Test func concurrentCallersDoNotDisturbEachOther() {
    let callers = ThreadPool(threads: 4)
    let pool = ThreadPool(threads: 2)
    let total = Atomic<Int>(0)
    callers.parallelFor(tasks: 4) { caller in
      for round in 0..<2000 {
        let sum = Atomic<Int>(0)
        pool.parallelFor(tasks: 5) { task in sum.add(task + round + caller, ordering: .relaxed) }
        let expected = 10 + 5 * (round + caller)
        total.add(sum.load(ordering: .relaxed) == expected ? 1 : 0, ordering: .relaxed)
      }
    }
    #expect(total.load(ordering: .relaxed) == 8000)
  }

  @Test func aLimitBoundsTheThreads() {
    let pool = ThreadPool(threads: 4)
    #expect(pool.limited(to: 2).threadCount == 2)
    #expect(pool.limited(to: 9).threadCount == 4)
    #expect(pool.limited(to: 0).threadCount == 1)
    #expect(ThreadPool.shared(limit: 1).threadCount == 1)
    let running = Atomic<Int>(0)
    let most = Atomic<Int>(0)
    pool.limited(to: 2).parallelFor(tasks: 40) { _ in
      let now = running.add(1, ordering: .sequentiallyConsistent).newValue
      most.max(now, ordering: .sequentiallyConsistent)
      usleep(100)
      running.subtract(1, ordering: .sequentiallyConsistent)
    }
    #expect((1...2).contains(most.load(ordering: .relaxed)))
  }

  @Test func poolsEndTheirThreads() {
    for _ in 0..<200 {
      let pool = ThreadPool(threads: 3)
      pool.parallelFor(tasks: 3) { _ in }
    }
  }
}
