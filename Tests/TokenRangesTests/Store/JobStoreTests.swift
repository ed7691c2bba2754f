import CQLClient
import CQLProtocol
import EmbeddedNode
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import TokenRanges

/// What both stores must do, and each of them alone.
struct JobStoreTests {
    /// A store whose time a test moves.
    struct Bench: Sendable {
        let store: any JobStore
        /// The same jobs as another process sees them.
        let other: any JobStore
        let advance: @Sendable (Duration) -> Void
        let node: EmbeddedNode?
    }

    enum Kind: CaseIterable { case sqlite, cluster }

    static func with(_ kind: Kind, _ body: @Sendable @escaping (Bench) async throws -> Void) async throws {
        switch kind {
        case .sqlite:
            let folder = try TemporaryFolder()
            let clock = ManualClock()
            let path = "\(folder.path)/jobs.sqlite"
            let store = try SQLiteJobStore(path: path) { clock.milliseconds }
            let other = try SQLiteJobStore(path: path) { clock.milliseconds }
            try await body(Bench(store: store, other: other, advance: { clock.advance(by: $0) }, node: nil))
        case .cluster:
            let group = MultiThreadedEventLoopGroup.singleton
            let node = try await EmbeddedNode.start(on: group)
            let configuration = ClusterConfiguration(
                name: "embedded",
                contactPoints: [ContactPoint(host: "127.0.0.1", port: node.port)]
            )
            let quiet = Logger(label: "store") { _ in SwiftLogNoOpLogHandler() }
            var limits = CQLSession.Limits()
            limits.requestMilliseconds = 10_000
            try await CQLSession.withSession(configuration, limits: limits, on: group.next(), logger: quiet) {
                session in
                let store = try await ClusterJobStore(session)
                let other = try await ClusterJobStore(session)
                let bench = Bench(store: store, other: other, advance: { node.store.moveClock(by: $0) }, node: node)
                try await body(bench)
            }
            await node.stop()
        }
    }

    static let job = JobDefinition(name: "load", subject: "Shop.orders")

    private func leased(_ store: any JobStore, _ worker: String = "a", for duration: Duration = .seconds(60))
        async throws
        -> JobLease
    {
        guard case .leased(let lease) = try await store.lease("load", worker: worker, for: duration) else {
            throw Missing()
        }
        return lease
    }

    struct Missing: Error {}

    private func code(_ body: () async throws -> Void) async -> TokenRangesError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? TokenRangesError)?.code
        }
    }

    @Test(arguments: Kind.allCases)
    func `a job is created once, joined by its name, and another of that name is refused`(_ kind: Kind) async throws {
        try await Self.with(kind) { bench in
            let isNew = try await bench.store.create(Self.job) { ranges(3) }
            #expect(isNew)
            #expect(try await !bench.other.create(Self.job) { throw Missing() })
            let different = JobDefinition(name: "load", subject: "Shop.customers")
            #expect(await self.code { _ = try await bench.other.create(different) { ranges(1) } } == .otherJob)
            #expect(try await bench.other.jobs() == [Self.job])
            #expect(try await bench.other.parts(of: "load") == ranges(3))
            #expect(await self.code { _ = try await bench.store.parts(of: "none") } == .noSuchJob)
            #expect(await self.code { try await bench.store.setCommand(.stop, of: "none") } == .noSuchJob)
            #expect(
                await self.code { _ = try await bench.store.lease("none", worker: "a", for: .seconds(9)) } == .noSuchJob
            )
        }
    }

    @Test(arguments: Kind.allCases)
    func `a job that many create at once has its parts once`(_ kind: Kind) async throws {
        try await Self.with(kind) { bench in
            let created = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<8 {
                    let store = index % 2 == 0 ? bench.store : bench.other
                    group.addTask { try await store.create(Self.job) { ranges(300 + index) } }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(created == 1)
            let parts = try await bench.store.parts(of: "load")
            #expect((300..<308).contains(parts.count))
            #expect(parts.map(\.range) == ranges(parts.count).map(\.range))
        }
    }

    @Test(arguments: Kind.allCases)
    func `each part is given to one worker only, however many ask`(_ kind: Kind) async throws {
        try await Self.with(kind) { bench in
            _ = try await bench.store.create(Self.job) { ranges(40) }
            let taken = try await withThrowingTaskGroup(of: [JobPart.ID].self) { group in
                for index in 0..<8 {
                    let store = index % 2 == 0 ? bench.store : bench.other
                    group.addTask {
                        var taken: [JobPart.ID] = []
                        while case .leased(let lease) = try await store.lease(
                            "load",
                            worker: "\(index)",
                            for: .seconds(60)
                        ) {
                            taken.append(lease.part.id)
                        }
                        return taken
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(taken.sorted() == ranges(40).map(\.id))
            #expect(try await bench.store.lease("load", worker: "z", for: .seconds(60)) == .nothingNow)
        }
    }

    @Test(arguments: Kind.allCases)
    func `leases tell who has a part and for how long, and what rests is nobody's`(_ kind: Kind) async throws {
        try await Self.with(kind) { bench in
            _ = try await bench.store.create(Self.job) { ranges(3) }
            #expect(await self.code { _ = try await bench.store.leases(of: "none") } == .noSuchJob)
            #expect(try await bench.other.leases(of: "load").isEmpty)
            let first = try await self.leased(bench.store, "a")
            let second = try await self.leased(bench.store, "b", for: .seconds(90))
            let third = try await self.leased(bench.store, "c")
            try await bench.store.giveBack(third, after: .seconds(600), attempts: 1)
            func left(_ part: JobPart.ID) async throws -> Double? {
                try await bench.other.leases(of: "load")[part].map { $0.left / .seconds(1) }
            }
            let workers = try await bench.other.leases(of: "load").mapValues(\.worker)
            #expect(workers == [first.part.id: "a", second.part.id: "b"])
            bench.advance(.seconds(30))
            // A second may have begun.
            #expect((28...30).contains(try #require(try await left(first.part.id))))
            #expect((58...60).contains(try #require(try await left(second.part.id))))
            try await bench.store.renew(first, for: .seconds(60))
            #expect((58...60).contains(try #require(try await left(first.part.id))))
            try await bench.store.finish(second, rows: 1, bytes: 1)
            bench.advance(.seconds(61))
            #expect(try await bench.other.leases(of: "load").isEmpty)
        }
    }

    @Test(arguments: Kind.allCases)
    func `a checkpoint, rows and bytes stay with the part, and a finished part ends the job`(_ kind: Kind) async throws
    {
        try await Self.with(kind) { bench in
            _ = try await bench.store.create(Self.job) { ranges(1) }
            let lease = try await self.leased(bench.store)
            #expect(lease.part.attempts == 1 && lease.part.state == .leased(worker: "a"))
            try await bench.store.checkpoint(lease, at: -7, rows: 10, bytes: 100)
            var part = try #require(try await bench.other.parts(of: "load").first)
            #expect(part.checkpoint == -7 && part.rowsDone == 10 && part.bytesDone == 100)
            #expect(part.state == .leased(worker: "a"))
            try await bench.store.giveBack(lease, after: .zero, attempts: 0)
            let second = try await self.leased(bench.other, "b")
            #expect(second.part.checkpoint == -7 && second.part.rowsDone == 10 && second.part.attempts == 1)
            #expect(lease.part.beginnings == 1 && second.part.beginnings == 2, "beginnings never go back")
            try await bench.other.finish(second, rows: 30, bytes: 300)
            part = try #require(try await bench.store.parts(of: "load").first)
            #expect(part.state == .done && part.remainder == nil && part.rowsDone == 30 && part.bytesDone == 300)
            #expect(try await bench.store.lease("load", worker: "a", for: .seconds(60)) == .allEnded)
        }
    }

    @Test(arguments: Kind.allCases)
    func `a lease that ran out is taken over, and its former holder is refused`(_ kind: Kind) async throws {
        try await Self.with(kind) { bench in
            _ = try await bench.store.create(Self.job) { ranges(1) }
            let first = try await self.leased(bench.store, for: .seconds(10))
            try await bench.store.checkpoint(first, at: 5, rows: 1, bytes: 1)
            bench.advance(.seconds(6))
            try await bench.store.renew(first, for: .seconds(10))
            bench.advance(.seconds(6))
            #expect(try await bench.other.lease("load", worker: "b", for: .seconds(10)) == .nothingNow)
            bench.advance(.seconds(6))
            let second = try await self.leased(bench.other, "b")
            #expect(second.part.checkpoint == 5 && second.part.attempts == 2)
            #expect(await self.code { try await bench.store.renew(first, for: .seconds(10)) } == .leaseLost)
            let late = await self.code { try await bench.store.checkpoint(first, at: 9, rows: 9, bytes: 9) }
            #expect(late == .leaseLost)
            #expect(await self.code { try await bench.store.finish(first, rows: 9, bytes: 9) } == .leaseLost)
            #expect(await self.code { try await bench.store.fail(first, reason: "no") } == .leaseLost)
            #expect(await self.code { try await bench.store.giveBack(first, after: .zero, attempts: 0) } == .leaseLost)
            #expect(await self.code { _ = try await bench.store.split(first, into: 2) } == .leaseLost)
            let part = try #require(try await bench.store.parts(of: "load").first)
            #expect(part.checkpoint == 5 && part.rowsDone == 1 && part.state == .leased(worker: "b"))
        }
    }

    @Test(arguments: Kind.allCases)
    func `a lease that ran out and that nobody has taken is lost all the same`(_ kind: Kind) async throws {
        try await Self.with(kind) { bench in
            _ = try await bench.store.create(Self.job) { ranges(1) }
            let lease = try await self.leased(bench.store, for: .seconds(10))
            bench.advance(.seconds(11))
            #expect(await self.code { try await bench.store.renew(lease, for: .seconds(10)) } == .leaseLost)
            #expect(await self.code { try await bench.store.finish(lease, rows: 0, bytes: 0) } == .leaseLost)
            #expect(try await bench.store.parts(of: "load").map(\.state) == [.pending])
        }
    }

    @Test(arguments: Kind.allCases)
    func `the end of a part may be told twice`(_ kind: Kind) async throws {
        try await Self.with(kind) { bench in
            _ = try await bench.store.create(Self.job) { ranges(1) }
            let lease = try await self.leased(bench.store)
            try await bench.store.giveBack(lease, after: .zero, attempts: 0)
            try await bench.store.giveBack(lease, after: .zero, attempts: 0)
            let second = try await self.leased(bench.store)
            try await bench.store.finish(second, rows: 1, bytes: 1)
            try await bench.store.finish(second, rows: 1, bytes: 1)
        }
    }

    @Test(arguments: Kind.allCases)
    func `a part that is given back after a failure rests`(_ kind: Kind) async throws {
        try await Self.with(kind) { bench in
            _ = try await bench.store.create(Self.job) { ranges(1) }
            let lease = try await self.leased(bench.store)
            try await bench.store.giveBack(lease, after: .seconds(20), attempts: 3)
            #expect(try await bench.other.parts(of: "load").map(\.state) == [.pending])
            #expect(try await bench.other.lease("load", worker: "b", for: .seconds(60)) == .nothingNow)
            bench.advance(.seconds(21))
            #expect(try await self.leased(bench.other).part.attempts == 4)
        }
    }

    @Test(arguments: Kind.allCases)
    func `a failed part says why, ends the job, and can be made pending again`(_ kind: Kind) async throws {
        try await Self.with(kind) { bench in
            _ = try await bench.store.create(Self.job) { ranges(1) }
            try await bench.store.fail(try await self.leased(bench.store), reason: "it's broken")
            #expect(try await bench.other.parts(of: "load").map(\.state) == [.failed(reason: "it's broken")])
            #expect(try await bench.other.lease("load", worker: "b", for: .seconds(60)) == .allEnded)
            #expect(try await bench.other.retryFailed("load") == 1)
            #expect(try await bench.other.retryFailed("load") == 0)
            #expect(try await self.leased(bench.other, "b").part.attempts == 1)
        }
    }

    @Test(arguments: Kind.allCases)
    func `a split keeps the tokens, the checkpoint and the lease`(_ kind: Kind) async throws {
        try await Self.with(kind) { bench in
            let whole = JobPart(table: table, range: TokenRange(start: 0, end: 100), expectedBytes: 1_000)
            _ = try await bench.store.create(Self.job) { [whole] }
            let lease = try await self.leased(bench.store)
            try await bench.store.checkpoint(lease, at: 40, rows: 4, bytes: 400)
            let smaller = try #require(try await bench.store.split(lease, into: 3))
            #expect(smaller.part.range == TokenRange(start: 0, end: 60) && smaller.part.checkpoint == 40)
            let parts = try await bench.other.parts(of: "load")
            #expect(parts.map(\.range.start) == [0, 60, 80] && parts.map(\.range.end) == [60, 80, 100])
            #expect(parts.map(\.expectedBytes) == [600, 200, 200])
            #expect(parts.map(\.state) == [.leased(worker: "a"), .pending, .pending])
            try await bench.store.finish(smaller, rows: 6, bytes: 600)
            let next = [try await self.leased(bench.other, "b"), try await self.leased(bench.other, "b")]
            #expect(next.map(\.part.range.start).sorted() == [60, 80])
            let one = next[0].part.range
            try await bench.other.checkpoint(next[0], at: one.end - 1, rows: 1, bytes: 1)
            #expect(try await bench.other.split(next[0], into: 2) == nil)
        }
    }

    @Test(arguments: Kind.allCases)
    func `a command is seen by all, and a removed job is gone`(_ kind: Kind) async throws {
        try await Self.with(kind) { bench in
            _ = try await bench.store.create(Self.job) { ranges(2) }
            #expect(try await bench.other.command(of: "load") == .run)
            try await bench.other.setCommand(.pause, of: "load")
            #expect(try await bench.store.command(of: "load") == .pause)
            let lease = try await self.leased(bench.store)
            try await bench.other.remove("load")
            try await bench.other.remove("load")
            #expect(await self.code { try await bench.store.finish(lease, rows: 0, bytes: 0) } == .leaseLost)
            #expect(try await bench.store.jobs().isEmpty)
            #expect(try await bench.store.create(Self.job) { ranges(1) })
        }
    }

    @Test func `answers that never come leave no part taken twice and none done twice`() async throws {
        try await Self.with(.cluster) { bench in
            let node = try #require(bench.node)
            _ = try await bench.store.create(Self.job) { ranges(6) }
            // A coordinator that does not apply a write and says that it does not know.
            let unknown = ErrorMessage(
                .writeTimeout,
                "Operation timed out",
                details: .writeTimeout(consistency: .serial, received: 0, blockFor: 1, writeType: .cas)
            )
            node.setFaults([FaultRule(.textContains("IF lease"), .error(unknown), times: 3)])
            let lease = try await self.leased(bench.store)
            try await bench.store.checkpoint(lease, at: lease.part.range.end - 1, rows: 5, bytes: 5)
            try await bench.store.finish(lease, rows: 6, bytes: 6)
            // One that applies it, and whose answer is lost.
            let second = try await self.leased(bench.store)
            node.setFaults([FaultRule(.textContains("SET state = 'done'"), .dropAnswer, times: 1)])
            try await bench.store.finish(second, rows: 1, bytes: 1)
            // And a cluster that is out of order for long: the store says so, and the same call does it later.
            let third = try await self.leased(bench.store)
            node.setFaults([FaultRule(.textContains("IF lease"), .error(unknown))])
            #expect(await self.code { try await bench.store.finish(third, rows: 2, bytes: 2) } == .storage)
            node.setFaults([])
            try await bench.store.finish(third, rows: 2, bytes: 2)
            let parts = try await bench.store.parts(of: "load")
            #expect(parts.filter { $0.state == .done }.map(\.rowsDone).sorted() == [1, 2, 6])
        }
    }
}
