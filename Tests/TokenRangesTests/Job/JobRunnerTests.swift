import Logging
import Synchronization
import TestSupport
import Testing

@testable import TokenRanges

/// Workers on a store of SQLite, by a clock that no test waits for.
struct JobRunnerTests {
    private final class Bench: Sendable {
        let folder: TemporaryFolder
        let clock = ManualClock()
        let store: WatchedStore

        init(_ parts: [JobPart]) async throws {
            let (folder, clock) = (try TemporaryFolder(), self.clock)
            self.folder = folder
            let store = try SQLiteJobStore(path: "\(folder.path)/jobs.sqlite") { clock.milliseconds }
            self.store = WatchedStore(store: store, clock: clock)
            _ = try await self.store.create(JobDefinition(name: "load", subject: "all")) { parts }
        }

        func runner(_ worker: String = "a", _ settings: RunnerSettings = RunnerSettings()) -> JobRunner<ManualClock> {
            let quiet = Logger(label: "runner") { _ in SwiftLogNoOpLogHandler() }
            return JobRunner(
                store: self.store,
                job: "load",
                worker: worker,
                settings: settings,
                clock: self.clock,
                random: { 0.5 },
                logger: quiet
            )
        }

        var states: [JobPart.State] { get async throws { try await self.store.parts(of: "load").map(\.state) } }
    }

    private final class Counts: Sendable {
        let now = Mutex(0)
        let most = Mutex(0)
        let seen = Mutex<[JobPart.ID]>([])
    }

    @Test func `two workers do every part once, and no more at a time than they may`() async throws {
        let bench = try await Bench(ranges(50))
        let counts = Counts()
        let ends = try await bench.clock.running {
            try await withThrowingTaskGroup(of: JobRunner<ManualClock>.End.self) { group in
                for worker in ["a", "b"] {
                    group.addTask {
                        try await bench.runner(worker, RunnerSettings(concurrency: 3)).run { part, context in
                            counts.seen.withLock { $0.append(part.id) }
                            let count = counts.now.withLock { count in
                                count += 1
                                return count
                            }
                            counts.most.withLock { $0 = max($0, count) }
                            await Task.yield()
                            try await context.checkpoint(at: part.range.end - 1, rows: 3, bytes: 30)
                            counts.now.withLock { $0 -= 1 }
                            return PartOutcome(rows: 1, bytes: 10)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(ends == [.allEnded, .allEnded])
        #expect(counts.seen.withLock { $0.sorted() } == ranges(50).map(\.id))
        #expect(counts.most.withLock { $0 } <= 6)
        let parts = try await bench.store.parts(of: "load")
        #expect(parts.allSatisfy { $0.state == .done && $0.rowsDone == 4 && $0.bytesDone == 40 })
    }

    @Test func `a part that fails is begun again from its checkpoint, and given up after so many attempts`()
        async throws
    {
        let bench = try await Bench(ranges(2))
        let tries = Mutex(0)
        let settings = RunnerSettings(concurrency: 2, attemptsMax: 3)
        let end = try await bench.clock.running {
            try await bench.runner("a", settings).run { part, _ in
                if part.range.start < 0 { return PartOutcome(rows: 1) }
                tries.withLock { $0 += 1 }
                throw PartFailure.retry("a node is down")
            }
        }
        #expect(end == .allEnded)
        #expect(tries.withLock { $0 } == 3)
        #expect(try await bench.states == [.done, .failed(reason: "a node is down")])
        // The pauses in between: 0.75 s and 1.5 s.
        #expect(bench.clock.now.offset >= .milliseconds(2_250))
    }

    @Test func `a part that gets on is not given up, however often it fails`() async throws {
        let whole = JobPart(table: table, range: TokenRange(start: 0, end: 20))
        let bench = try await Bench([whole])
        let begun = Mutex<[Int64?]>([])
        _ = try await bench.clock.running {
            try await bench.runner("a", RunnerSettings(attemptsMax: 2)).run { part, context in
                begun.withLock { $0.append(part.checkpoint) }
                let next = (part.checkpoint ?? 0) + 1
                if next == 20 { return PartOutcome(rows: 1) }
                try await context.checkpoint(at: next, rows: 1, bytes: 0)
                throw PartFailure.retry("again")
            }
        }
        #expect(begun.withLock { $0 } == [nil] + (1...19).map { .some($0) })
        #expect(try await bench.store.parts(of: "load").map(\.rowsDone) == [20])
    }

    @Test func `a part that never will succeed is not tried twice`() async throws {
        let bench = try await Bench(ranges(1))
        let tries = Mutex(0)
        _ = try await bench.clock.running {
            try await bench.runner().run { _, _ in
                tries.withLock { $0 += 1 }
                throw PartFailure.fatal("the table is gone")
            }
        }
        #expect(tries.withLock { $0 } == 1)
        #expect(try await bench.states == [.failed(reason: "the table is gone")])
    }

    @Test func `a part that is too much is cut until it is not`() async throws {
        let bench = try await Bench([JobPart(table: table, range: TokenRange(start: 0, end: 64))])
        _ = try await bench.clock.running {
            try await bench.runner().run { part, _ in
                if part.range.tokenCount > 8 { throw PartFailure.split(into: 2, "timeout") }
                return PartOutcome(rows: Int64(part.range.tokenCount))
            }
        }
        let parts = try await bench.store.parts(of: "load")
        #expect(parts.allSatisfy { $0.state == .done && $0.range.tokenCount == 8 })
        #expect(parts.reduce(0) { $0 + $1.rowsDone } == 64)
    }

    @Test func `a part that is too much at any size becomes a bounded number of failed parts`() async throws {
        let bench = try await Bench(ranges(1))
        _ = try await bench.clock.running {
            try await bench.runner("a", RunnerSettings(attemptsMax: 5)).run { _, _ in
                throw PartFailure.split(into: 2, "timeout")
            }
        }
        let parts = try await bench.store.parts(of: "load")
        #expect(parts.count <= 1 << 5)
        #expect(parts.allSatisfy { $0.state == .failed(reason: "timeout") })
        #expect(parts.reduce(0) { $0 &+ $1.range.tokenCount } == TokenRange.ring.tokenCount)
    }

    @Test func `a long part keeps its lease`() async throws {
        let bench = try await Bench(ranges(1))
        let settings = RunnerSettings(leaseDuration: .seconds(9))
        let end = try await bench.clock.running {
            try await bench.runner("a", settings).run { _, _ in
                for _ in 0..<20 { try await bench.clock.sleep(for: .seconds(3)) }
                return PartOutcome(rows: 1)
            }
        }
        #expect(end == .allEnded)
        let part = try #require(try await bench.store.parts(of: "load").first)
        #expect(part.state == .done && part.attempts == 1)
    }

    @Test func `what a dead worker held is taken over, and a part that kills its workers is given up`() async throws {
        let bench = try await Bench(ranges(1))
        guard case .leased(let dead) = try await bench.store.lease("load", worker: "dead", for: .seconds(60)) else {
            Issue.record("no part")
            return
        }
        try await bench.store.checkpoint(dead, at: 0, rows: 5, bytes: 50)
        let end = try await bench.clock.running {
            try await bench.runner().run { part, _ in
                #expect(part.checkpoint == 0)
                return PartOutcome(rows: 2)
            }
        }
        #expect(end == .allEnded && bench.clock.now.offset >= .seconds(60))
        #expect(try await bench.store.parts(of: "load").map(\.rowsDone) == [7])

        let poison = try await Bench(ranges(1))
        for _ in 0..<3 {
            _ = try await poison.store.lease("load", worker: "dead", for: .seconds(60))
            poison.clock.advance(by: .seconds(61))
        }
        _ = try await poison.clock.running {
            try await poison.runner("a", RunnerSettings(attemptsMax: 3)).run { _, _ in PartOutcome() }
        }
        guard case .failed = try await poison.states.first else {
            Issue.record("a part that has killed three workers is begun again")
            return
        }
    }

    @Test func `a paused job gives its parts back with their checkpoints, and goes on when it may`() async throws {
        let bench = try await Bench(ranges(2))
        let begun = Mutex(0)
        let end = try await bench.clock.running {
            try await bench.runner("a", RunnerSettings(concurrency: 2)).run { part, context in
                let count = begun.withLock { count in
                    count += 1
                    return count
                }
                if part.checkpoint != nil { return PartOutcome(rows: 1) }
                try await context.checkpoint(at: part.range.start + 1, rows: 1, bytes: 1)
                if count == 2 {
                    try await bench.store.setCommand(.pause, of: "load")
                    return try await withThrowingTaskGroup(of: Void.self) { group in
                        defer { group.cancelAll() }
                        try await bench.clock.sleep(for: .seconds(3_600))
                        return PartOutcome()
                    }
                }
                defer {
                    // The last act of a work that is cancelled: by then the job is paused, and the operator lets it go on.
                    Task { try await bench.store.setCommand(.run, of: "load") }
                }
                try await bench.clock.sleep(for: .seconds(3_600))
                return PartOutcome()
            }
        }
        #expect(end == .allEnded)
        let parts = try await bench.store.parts(of: "load")
        #expect(parts.allSatisfy { $0.state == .done && $0.rowsDone == 2 && $0.attempts == 1 })
        #expect(begun.withLock { $0 } == 4)
        #expect(bench.clock.now.offset < .seconds(3_600))
    }

    @Test func `a stopped job ends with its leases given back, uncounted`() async throws {
        let bench = try await Bench(ranges(3))
        let end = try await bench.clock.running {
            try await bench.runner("a", RunnerSettings(concurrency: 2)).run { _, _ in
                try await bench.store.setCommand(.stop, of: "load")
                try await bench.clock.sleep(for: .seconds(3_600))
                return PartOutcome()
            }
        }
        #expect(end == .stopped)
        let parts = try await bench.store.parts(of: "load")
        #expect(parts.allSatisfy { $0.state == .pending && $0.attempts == 0 })
        let again = try await bench.runner().run { _, _ in PartOutcome() }
        #expect(again == .stopped)
    }

    @Test func `a cancelled worker gives its leases back`() async throws {
        let bench = try await Bench(ranges(3))
        let (stream, started) = AsyncStream.makeStream(of: Void.self)
        let worker = Task {
            try await bench.runner("a", RunnerSettings(concurrency: 3)).run { _, _ in
                started.yield()
                try await bench.clock.sleep(for: .seconds(3_600))
                return PartOutcome()
            }
        }
        var begun = 0
        for await _ in stream {
            begun += 1
            if begun == 3 { break }
        }
        worker.cancel()
        await #expect(throws: CancellationError.self) { try await worker.value }
        #expect(try await bench.states == [.pending, .pending, .pending])
    }

    @Test func `a worker whose lease was taken over stops its work and says nothing of the part`() async throws {
        let bench = try await Bench(ranges(1))
        let settings = RunnerSettings(leaseDuration: .seconds(30))
        let wasCancelled = Mutex(false)
        let isFirst = Mutex(true)
        _ = try await bench.clock.running {
            try await bench.runner("a", settings).run { _, _ in
                let first = isFirst.withLock { first in
                    defer { first = false }
                    return first
                }
                guard first else { return PartOutcome(rows: 7) }
                // As after a machine's long sleep: the lease has run out.
                bench.clock.advance(by: .seconds(31))
                do {
                    try await bench.clock.sleep(for: .seconds(3_600))
                } catch {
                    wasCancelled.withLock { $0 = true }
                    throw error
                }
                return PartOutcome(rows: 1_000)
            }
        }
        #expect(wasCancelled.withLock { $0 })
        #expect(try await bench.store.parts(of: "load").map(\.rowsDone) == [7])
    }
}
