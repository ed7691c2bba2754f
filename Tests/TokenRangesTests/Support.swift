import Synchronization
import TokenRanges

/// Random numbers that come the same way again from the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// A clock whose time passes for sleepers alone: when nobody has anything to do but sleep, the next one is woken.
final class ManualClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: self.offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - self.offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct State {
        var now = Duration.zero
        var last = 0
        var sleepers: [Int: (until: Duration, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
        /// What is being done that takes no time.
        var busy = 0
        /// Counts whatever happens.
        var events = 0
    }

    private let state = Mutex(State())

    var now: Instant { Instant(offset: self.state.withLock { $0.now }) }
    var minimumResolution: Duration { .nanoseconds(1) }
    var milliseconds: Int64 { Int64(self.now.offset / .milliseconds(1)) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = self.state.withLock { state in
            state.last += 1
            state.events += 1
            return state.last
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Void, any Error>? = self.state.withLock { state in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if deadline.offset <= state.now { return .success(()) }
                    state.sleepers[id] = (deadline.offset, continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let sleeper = self.state.withLock { state in
                if state.sleepers[id] == nil { state.cancelled.insert(id) }
                return state.sleepers.removeValue(forKey: id)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Moves on to the next sleeper's end.
    func wakeNext() {
        let woken = self.state.withLock { state in
            guard let next = state.sleepers.values.map(\.until).min() else {
                return [CheckedContinuation<Void, any Error>]()
            }
            state.now = max(state.now, next)
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    func advance(by duration: Duration) { self.state.withLock { $0.now += duration } }

    /// Runs something during which no time passes.
    func busy<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        func count(_ change: Int) {
            self.state.withLock { state in
                state.busy += change
                state.events += 1
            }
        }
        count(1)
        defer { count(-1) }
        return try await body()
    }

    /// Runs something, and lets time pass whenever nothing has happened for some moments.
    func running<Result: Sendable>(_ body: @Sendable @escaping () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                var (last, quiet) = (0, 0)
                while !Task.isCancelled {
                    // Not a wait for anything: on a machine with few cores the others must have their turn.
                    try? await Task.sleep(for: .milliseconds(1))
                    let (events, busy) = self.state.withLock { ($0.events, $0.busy) }
                    quiet = busy == 0 && events == last ? quiet + 1 : 0
                    last = events
                    if quiet >= 5 {
                        quiet = 0
                        self.wakeNext()
                    }
                }
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let result = try await group.next() { if let result { return result } }
            throw CancellationError()
        }
    }
}

let table = TableName(keyspace: "Shop", table: "orders")

func ranges(_ count: Int) -> [JobPart] {
    TokenRange.ring.split(into: count).map { JobPart(table: table, range: $0, expectedBytes: 1_000) }
}
