import Synchronization
import TestSupport
import Testing

@testable import SSTableLoader

/// Records that all workers share.
@Suite struct SharedIndexTests {
    private static let schema = [
        "CREATE TABLE k.t (p int PRIMARY KEY, v text, m map<text, int>)",
        "CREATE TABLE k.u (p int PRIMARY KEY, v text)",
        "CREATE INDEX t_v ON k.t (v)", "CREATE INDEX \"T_m\" ON k.t (keys(m))",
        "CREATE CUSTOM INDEX u_v ON k.u (v) USING 'a.B' WITH OPTIONS = {'mode': 'PREFIX'}",
    ]
    private static let t = IndexedTable(keyspace: "k", name: "t")
    private static let u = IndexedTable(keyspace: "k", name: "u")
    private static let tables: Set = [t, u]

    private static func made(_ session: BreakingSession) -> [String] {
        session.changes.filter { $0.hasPrefix("CREATE") }
    }

    @Test func `what a worker that died has dropped, another one brings back at the end of the load`() async throws {
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            _ = try await target.shared("a").drop(Self.tables, for: .load)
            #expect(try await target.rows() == [])
            try await target.endLeases()
            let plan = try await target.shared("b").around(Self.tables) { plan in
                let rows = try await target.rows()
                #expect(rows == [], "not before the end")
                return plan
            }
            #expect(plan.dropped == [])
            #expect(try await target.rows() == before)
            #expect(try await target.shared("c").owed() == [])
            #expect(try await target.shared("c").verify().isComplete)
        }
    }

    @Test func `nobody takes from a live worker what it has dropped, and everybody sees whose it is`() async throws {
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            try await target.shared("a").around(Self.tables) { _ in
                let session = BreakingSession(target.session)
                let other = target.shared("b", session)
                let states = try await other.status()
                #expect(states.map(\.state) == [.dropped, .dropped, .dropped])
                #expect(states.allSatisfy { $0.holder == IndexHolder(job: "load", worker: "a") })
                let error = await #expect(throws: IndexError.self) { try await other.restore() }
                #expect(error?.code == .inUse)
                #expect(error?.description.contains("worker a of job load") == true)
                await #expect(throws: IndexError.self) { try await other.forget(keyspace: "k", index: "t_v") }
                // Another load, over nothing of these.
                try await target.shared("c", job: "other", session).around([]) { _ in }
                #expect(Self.made(session) == [])
            }
            #expect(try await target.rows() == before)
        }
    }

    @Test func `of workers that see the end together one makes each index, and none ends before all are there`()
        async throws
    {
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            let gate = Gate(3)
            let sessions = (0..<3).map { _ in BreakingSession(target.session) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, session) in sessions.enumerated() {
                    group.addTask {
                        try await target.shared("\(number)", session).around(Self.tables) { _ in await gate.pass() }
                        #expect(try await target.rows() == before)
                    }
                }
                try await group.waitForAll()
            }
            #expect(sessions.flatMap(Self.made).count == 3)
        }
    }

    @Test func `a worker that leaves gives what it has dropped to those who go on`() async throws {
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            let (left, hasLeft) = AsyncStream.makeStream(of: Void.self)
            let (joined, hasJoined) = AsyncStream.makeStream(of: Void.self)
            async let other: Void = target.shared("b").around(Self.tables) { _ in
                hasJoined.finish()
                for await _ in left {}
                let rows = try await target.rows()
                #expect(rows == [])
            }
            let session = BreakingSession(target.session)
            await #expect(throws: CancellationError.self) {
                try await target.shared("a", session).around(Self.tables, leavesToOthers: { _ in true }) { _ in
                    for await _ in joined {}
                    throw CancellationError()
                }
            }
            #expect(Self.made(session) == [])
            hasLeft.finish()
            try await other
            #expect(try await target.rows() == before)
        }
    }

    @Test func `a load brings back what a dead load of other tables has left at its start, and of its own at its end`()
        async throws
    {
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            _ = try await target.shared("a", job: "dead").drop(Self.tables, for: .load)
            try await target.endLeases()
            let keeper = target.shared("b", job: "new")
            try await keeper.around([Self.t]) { _ in
                #expect(try await target.rows().map { $0.prefix(5) } == ["u u_v"])
                try await keeper.store.hold([Self.t])
                #expect(try await target.shared("c").status([Self.t]).compactMap(\.holder?.worker) == ["b", "b"])
            }
            #expect(try await target.rows() == before)
        }
    }

    @Test func `what was dropped by hand stays away until somebody asks, from wherever`() async throws {
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            try await target.shared("a").drop([Self.u])
            try await target.shared("b", job: "other").around([Self.t]) { _ in }
            try await target.shared("c").restoring([Self.t]) {}
            #expect(try await target.rows().count == 2)
            #expect(try await target.shared("d").restore().made.map(\.name) == ["u_v"])
            #expect(try await target.rows() == before)
        }
    }

    @Test func `a load that drops nothing brings back what is left of its tables`() async throws {
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            try await target.shared("a").drop([Self.t])
            _ = try await target.shared("a").drop([Self.u], for: .load)
            try await target.shared("b").restoring([Self.t]) {}
            #expect(try await target.rows().count == 2, "the other one is a live worker's")
            try await target.endLeases()
            try await target.shared("b").restoring([Self.t]) {}
            #expect(try await target.rows() == before)
        }
    }

    @Test(arguments: BreakingSession.Break.allCases)
    func `whatever statement fails or is the last one, another worker brings back exactly what was there`(
        how: BreakingSession.Break
    ) async throws {
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            for number in 1... {
                let session = BreakingSession(target.session, at: number, how)
                var failure: (any Error)?
                do {
                    try await target.shared("a", session).around(Self.tables) { _ in }
                } catch {
                    failure = error
                }
                let missing = before.subtracting(try await target.rows())
                if failure == nil { #expect(missing == [], "\(how) at \(number)") }
                // An index without a record would be lost.
                #expect(try await target.shared("b").owed().count >= missing.count, "\(how) at \(number)")
                try await target.endLeases()
                try await target.shared("b").restore()
                #expect(try await target.rows() == before, "\(how) at \(number)")
                #expect(try await target.shared("c").owed() == [])
                if session.count < number {
                    // Fewer would mean that it never got anywhere.
                    #expect(number > 40)
                    break
                }
            }
        }
    }

    @Test func `a lease lasts as long as its worker lives, however long the load takes`() async throws {
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            let session = BreakingSession(target.session)
            try await target.shared("a", lease: .seconds(4), session).around(Self.tables) { _ in
                // Three records are renewed three times in each lease: four times are longer than one.
                try await eventually { session.writes.count { $0.contains("USING TTL") } > 6 + 3 * 4 }
                await #expect(throws: IndexError.self) { try await target.shared("b").restore() }
            }
            #expect(try await target.rows() == before)
            _ = try await target.shared("dead", lease: .seconds(1)).drop(Self.tables, for: .load)
            try await eventually { try await target.shared("b").status().allSatisfy { $0.holder == nil } }
            #expect(try await target.shared("b").restore().made.count == 3)
        }
    }

    @Test func `a damaged record stops a drop; the others come back, and it is told until it is forgotten`()
        async throws
    {
        try await IndexedNode.with(Self.schema) { target in
            let keeper = target.shared("a")
            try await keeper.drop(Self.tables)
            try await target.session.change(
                "UPDATE cluster_sync.indexes SET statement = null WHERE keyspace_name = 'k' AND index_name = 't_v'"
            )
            let stopped = await #expect(throws: IndexError.self) { try await keeper.drop(Self.tables) }
            #expect(stopped?.code == .file)
            let error = await #expect(throws: IndexError.self) { try await keeper.restore() }
            #expect(
                error?.failures.map(\.reason) == [
                    "a record in cluster_sync.indexes is damaged: k.t_v: it has no statement"
                ]
            )
            #expect(try await target.rows().count == 2)
            let verdict = try await keeper.verify()
            #expect(verdict.damagedLines == 1)
            #expect(!verdict.isComplete)
            #expect(try await keeper.forget(keyspace: "k", index: "t_v"))
            #expect(try await !keeper.forget(keyspace: "k", index: "t_v"))
            #expect(try await keeper.verify().isComplete)
        }
    }

    @Test func `records that somebody removes during a load are no loss while the worker that dropped lives`()
        async throws
    {
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            try await target.shared("a").around(Self.tables) { _ in
                try await target.session.change("DROP TABLE cluster_sync.indexes")
            }
            #expect(try await target.rows() == before)
        }
    }

    @Test func `what somebody makes or drops meanwhile is found, told or kept`() async throws {
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            try await target.shared("a").around(Self.tables) { _ in
                try await target.session.change("CREATE INDEX t_v ON k.t (v)")
            }
            #expect(try await target.rows() == before, "the same one, made by hand")
            let error = await #expect(throws: IndexError.self) {
                try await target.shared("a").around(Self.tables) { _ in
                    try await target.session.change("CREATE INDEX t_v ON k.t (values(m))")
                }
            }
            #expect(error?.code == .notRestored)
            #expect(error?.failures.map(\.index?.name) == ["t_v"])
            #expect(try await target.shared("b").owed().map(\.name) == ["t_v"])
            try await target.session.change("DROP INDEX k.t_v")
            try await target.shared("b").restore()
            #expect(try await target.rows() == before)
            try await target.session.change("DROP INDEX k.u_v")
            #expect(try await target.shared("b").restore() == IndexRestoration(), "what nobody owes stays away")
            #expect(try await target.shared("b").verify().indexes.filter { !$0.isThere }.map(\.index.name) == ["u_v"])
        }
    }

    @Test func `nothing is made where somebody only looks`() async throws {
        try await IndexedNode.with(Self.schema) { target in
            #expect(try await target.shared("a").status() == [])
            #expect(try await target.shared("a").owed() == [])
            #expect(try await target.shared("a").verify().isComplete)
            let keyspaces = try await target.session.read("SELECT keyspace_name FROM system_schema.keyspaces", [])
            #expect(try !keyspaces.map { try $0.text("keyspace_name") }.contains("cluster_sync"))
        }
    }
}

/// Lets tasks pass when so many have come.
private final class Gate: Sendable {
    private let state: Mutex<(left: Int, waiting: [CheckedContinuation<Void, Never>])>

    init(_ count: Int) { self.state = Mutex((count, [])) }

    func pass() async {
        await withCheckedContinuation { continuation in
            let free = self.state.withLock { state in
                state.left -= 1
                state.waiting.append(continuation)
                defer { if state.left <= 0 { state.waiting = [] } }
                return state.left <= 0 ? state.waiting : []
            }
            for one in free { one.resume() }
        }
    }
}
