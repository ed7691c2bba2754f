import NIOCore
import Synchronization

/// How long the machine has let event loops wait: what comes late for that reason is nobody's mistake.
final class StallWatch: Sendable {
    private static var interval: TimeAmount { .milliseconds(50) }

    private let longest: Longest
    private let ticks: [RepeatedTask]

    /// Watches each loop of a group until ``stop()``.
    init(_ group: any EventLoopGroup) {
        let longest = Longest()
        self.longest = longest
        self.ticks = group.makeIterator().map { loop in
            let tick = Tick(longest)
            return loop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in tick.run() }
        }
    }

    /// The longest wait so far, rounded to whole seconds.
    var secondsMax: Int64 { (self.longest.time.load(ordering: .relaxed) + 500_000_000) / 1_000_000_000 }

    func stop() {
        for tick in self.ticks { tick.cancel() }
    }

    private final class Longest: Sendable {
        /// In nanoseconds.
        let time = Atomic<Int64>(0)
    }

    private final class Tick: Sendable {
        private let longest: Longest
        private let due = Mutex(NIODeadline.now() + StallWatch.interval)

        init(_ longest: Longest) { self.longest = longest }

        func run() {
            let now = NIODeadline.now()
            let late = self.due.withLock { due in
                defer { due = now + StallWatch.interval }
                return now - due
            }
            self.longest.time.max(late.nanoseconds, ordering: .relaxed)
        }
    }
}
