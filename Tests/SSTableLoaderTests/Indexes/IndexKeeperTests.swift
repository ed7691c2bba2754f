import FoundationEssentials
import TestSupport
import Testing

@testable import SSTableLoader

@Suite struct IndexKeeperTests {
    private static let schema = [
        "CREATE TABLE k.t (p int PRIMARY KEY, v text, \"W\" text, m map<text, int>)",
        "CREATE TABLE k.u (p int PRIMARY KEY, v text)", "CREATE TABLE k.other (p int PRIMARY KEY, v text)",
        "CREATE INDEX t_v ON k.t (v)", "CREATE INDEX \"T_w\" ON k.t (\"W\")", "CREATE INDEX t_m ON k.t (keys(m))",
        "CREATE CUSTOM INDEX u_v ON k.u (v) USING 'a.B' WITH OPTIONS = {'mode': 'PREFIX'}",
        "CREATE INDEX other_v ON k.other (v)",
    ]
    private static let tables: Set = [
        IndexedTable(keyspace: "k", name: "t"), IndexedTable(keyspace: "k", name: "u"),
    ]

    /// Two tables with an index each: there is something between two drops and between two that are made again.
    private static let pair = [
        "CREATE TABLE k.t (p int PRIMARY KEY, m map<text, int>)", "CREATE TABLE k.u (p int PRIMARY KEY, v text)",
        "CREATE INDEX t_m ON k.t (keys(m))",
        "CREATE CUSTOM INDEX u_v ON k.u (v) USING 'a.B' WITH OPTIONS = {'mode': 'PREFIX'}",
    ]

    @Test func `indexes go before a load and come back after it, and those of other tables stay`() async throws {
        let folder = try TemporaryFolder()
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            let keeper = target.keeper(folder.path)
            let plan = try await keeper.plan(Self.tables)
            #expect(plan.dropped.map(\.name) == ["T_w", "t_m", "t_v", "u_v"])
            #expect(try await target.rows() == before)
            #expect(try await keeper.owed() == [])
            #expect(try await keeper.drop(Self.tables) == plan)
            #expect(try await target.rows() == ["other other_v COMPOSITES target=v"])
            #expect(try await keeper.status().map(\.state) == [.dropped, .dropped, .dropped, .dropped])
            #expect(try await !keeper.verify().isComplete)
            let one: Set = [IndexedTable(keyspace: "k", name: "u")]
            #expect(try await keeper.restore(one).made.map(\.name) == ["u_v"])
            #expect(try await keeper.owed().map(\.name) == ["T_w", "t_m", "t_v"])
            let statuses = try await keeper.rebuild(within: .seconds(60))
            #expect(statuses.map(\.index.name) == ["T_w", "t_m", "t_v", "u_v"])
            #expect(statuses.allSatisfy { $0.state == .there(.built) })
            #expect(try await target.rows() == before)
            #expect(try await keeper.verify().isComplete)
            #expect(try await keeper.owed() == [])
            #expect(try await keeper.restore() == IndexRestoration())
        }
    }

    /// Runs `body` with a session that breaks at each of its statements in turn, each time on a node and a folder of its own.
    private func breakEverywhere(
        _ how: BreakingSession.Break,
        _ body: @Sendable @escaping (IndexKeeper) async throws -> Void,
        then check:
            @Sendable @escaping (IndexedNode, TemporaryFolder, BreakingSession, Set<String>) async throws -> Void
    ) async throws {
        try await IndexedNode.with(Self.pair) { target in
            let before = try await target.rows()
            var number = 1
            var hasBroken = true
            while hasBroken {
                let folder = try TemporaryFolder()
                let session = BreakingSession(target.session, at: number, how)
                try? await body(target.keeper(folder.path, session))
                hasBroken = session.count >= number
                try await check(target, folder, session, before)
                number += 1
            }
            // Fewer would mean that the body never got anywhere.
            #expect(number > 20)
        }
    }

    @Test(arguments: [BreakingSession.Break.killedBefore, .killedAfter])
    func `whatever statement a process is killed at, the next one brings back exactly what was there`(
        how: BreakingSession.Break
    ) async throws {
        try await self.breakEverywhere(how) { keeper in
            try await keeper.drop(Self.tables)
            try await keeper.restore()
        } then: { target, folder, session, before in
            let missing = before.subtracting(try await target.rows())
            let keeper = target.keeper(folder.path)
            #expect(try await Set(keeper.owed().map(\.name)).count >= missing.count)
            try await keeper.restore()
            #expect(try await target.rows() == before)
            #expect(try await keeper.owed() == [])
            #expect(try await keeper.restore() == IndexRestoration())
        }
    }

    @Test(arguments: [BreakingSession.Break.killedBefore, .killedAfter])
    func `a restoration that is killed at any statement is finished by the next one`(
        how: BreakingSession.Break
    ) async throws {
        try await IndexedNode.with(Self.pair) { target in
            let before = try await target.rows()
            for number in 1... {
                let folder = try TemporaryFolder()
                try await target.keeper(folder.path).drop(Self.tables)
                let session = BreakingSession(target.session, at: number, how)
                _ = try? await target.keeper(folder.path, session).restore()
                // Killed again, one statement further.
                _ = try? await target.keeper(folder.path, BreakingSession(target.session, at: number + 1, how))
                    .restore()
                try await target.keeper(folder.path).restore()
                #expect(try await target.rows() == before)
                if session.count < number { break }
            }
        }
    }

    @Test(arguments: [BreakingSession.Break.refused, .answerLost])
    func `whatever single statement fails, the indexes are there after the load or it says that they are not`(
        how: BreakingSession.Break
    ) async throws {
        try await self.breakEverywhere(how) { keeper in
            do {
                try await keeper.around(Self.tables) { _ in }
            } catch let error as IndexError where error.code == .notRestored {
                #expect(try await !keeper.owed().isEmpty)
                throw error
            }
            #expect(try await keeper.owed() == [])
        } then: { target, folder, session, before in
            let owed = Set(try await target.keeper(folder.path).owed().map(\.name))
            let missing = before.subtracting(try await target.rows())
            #expect(missing.count <= owed.count)
            try await target.keeper(folder.path).restore()
            #expect(try await target.rows() == before)
        }
    }

    @Test func `nothing is dropped before the file is written`() async throws {
        let folder = try TemporaryFolder()
        // A folder in the place of the file that is written first.
        try FileManager.default.createDirectory(
            atPath: folder.path + "/indexes.jsonl.new",
            withIntermediateDirectories: false
        )
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            let session = BreakingSession(target.session)
            let error = await #expect(throws: IndexError.self) {
                try await target.keeper(folder.path, session).drop(Self.tables)
            }
            #expect(error?.code == .file)
            #expect(session.changes == [])
            #expect(try await target.rows() == before)
        }
    }

    @Test func `a failed or cancelled load gets its indexes back all the same`() async throws {
        let folder = try TemporaryFolder()
        try await IndexedNode.with(Self.schema) { target in
            let before = try await target.rows()
            let keeper = target.keeper(folder.path)
            await #expect(throws: Broken.self) {
                try await keeper.around(Self.tables) { _ in
                    #expect(try await target.rows().count == 1)
                    throw Broken()
                }
            }
            #expect(try await target.rows() == before)
            let task = Task {
                try await keeper.around(Self.tables) { _ in
                    withUnsafeCurrentTask { $0?.cancel() }
                    try Task.checkCancellation()
                }
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await target.rows() == before)
            #expect(try await keeper.around(Self.tables) { $0.dropped.count } == 4)
        }
    }

    @Test func `another index under a recorded name is an error that names both, and the others come back`()
        async throws
    {
        let folder = try TemporaryFolder()
        try await IndexedNode.with(Self.schema) { target in
            let keeper = target.keeper(folder.path)
            try await keeper.drop(Self.tables)
            try await target.session.change("CREATE CUSTOM INDEX t_v ON k.other (v) USING 'a.B'")
            let error = await #expect(throws: IndexError.self) { try await keeper.restore() }
            #expect(error?.code == .notRestored)
            #expect(error?.failures.map(\.index?.name) == ["t_v"])
            let reason = error?.failures.first?.reason ?? ""
            #expect(reason.contains(#"ON "k"."t" ("v")"#))
            #expect(reason.contains("CUSTOM on k.other {class_name: a.B, target: v}"))
            #expect(try await keeper.owed().map(\.name) == ["t_v"])
            let states = try await keeper.status()
            #expect(states.filter { !$0.isThere }.map(\.index.name) == ["t_v"])
            // A second drop would overwrite what is owed.
            try await target.session.change("DROP INDEX k.t_v")
            try await target.session.change("CREATE INDEX t_v ON k.t (values(m))")
            let conflict = await #expect(throws: IndexError.self) { try await keeper.drop(Self.tables) }
            #expect(conflict?.code == .conflict)
            #expect(try await target.rows().count == 5)
        }
    }

    @Test func `the same index under another name is an error, as a server would make none`() async throws {
        let folder = try TemporaryFolder()
        try await IndexedNode.with(Self.schema) { target in
            let keeper = target.keeper(folder.path)
            try await keeper.drop(Self.tables)
            try await target.session.change("CREATE INDEX twin ON k.t (v)")
            let error = await #expect(throws: IndexError.self) { try await keeper.restore() }
            #expect(error?.failures.first?.reason.contains("k.twin") == true)
            #expect(try await keeper.owed().map(\.name) == ["t_v"])
        }
    }

    @Test func `a table that is gone leaves its indexes recorded until they are forgotten`() async throws {
        let folder = try TemporaryFolder()
        try await IndexedNode.with(Self.schema) { target in
            let keeper = target.keeper(folder.path)
            try await keeper.drop(Self.tables)
            try await target.session.change("DROP TABLE k.u")
            let error = await #expect(throws: IndexError.self) { try await keeper.restore() }
            #expect(error?.failures.map(\.index?.name) == ["u_v"])
            #expect(try await keeper.status().filter { $0.state == .tableMissing }.map(\.index.name) == ["u_v"])
            #expect(try await keeper.forget(keyspace: "k", index: "u_v"))
            #expect(try await !keeper.forget(keyspace: "k", index: "u_v"))
            try await keeper.restore()
            #expect(try await keeper.verify().isComplete)
            let missing = await #expect(throws: IndexError.self) { try await keeper.drop(Self.tables) }
            #expect(missing?.code == .noTable)
        }
    }

    @Test func `a damaged line stops a drop, and a restoration brings back the rest and says so`() async throws {
        let folder = try TemporaryFolder()
        try await IndexedNode.with(Self.schema) { target in
            let keeper = target.keeper(folder.path)
            try await keeper.drop(Self.tables)
            try folder.overwrite("indexes.jsonl", with: Array("{\"checksum\":\"0\"".utf8))
            let stopped = await #expect(throws: IndexError.self) { try await keeper.drop(Self.tables) }
            #expect(stopped?.code == .file)
            let error = await #expect(throws: IndexError.self) { try await keeper.restore() }
            #expect(error?.failures.count == 1)
            #expect(error?.failures.first?.reason.contains("T_w") == true)
            #expect(try await target.rows().count == 4)
            let verdict = try await keeper.verify()
            #expect(verdict.damagedLines == 1)
            #expect(!verdict.isComplete)
            #expect(verdict.indexes.filter { !$0.isThere } == [])
        }
    }

    @Test func `an index that was changed on purpose between two jobs is kept as it is now`() async throws {
        let folder = try TemporaryFolder()
        try await IndexedNode.with(Self.schema) { target in
            let keeper = target.keeper(folder.path)
            try await keeper.around(Self.tables) { _ in }
            try await target.session.change("DROP INDEX k.t_m")
            try await target.session.change("CREATE INDEX t_m ON k.t (entries(m))")
            let before = try await target.rows()
            #expect(try await !keeper.verify().isComplete)
            try await keeper.around(Self.tables) { _ in }
            #expect(try await target.rows() == before)
            #expect(try await keeper.verify().isComplete)
        }
    }

    @Test func `two at once are told apart`() async throws {
        let folder = try TemporaryFolder()
        try await IndexedNode.with(Self.schema) { target in
            let keeper = target.keeper(folder.path)
            let file = try IndexFile(folder: folder.path)
            for work in [{ _ = try await keeper.drop(Self.tables) }, { _ = try await keeper.restore() }] {
                let error = await #expect(throws: IndexError.self) { try await work() }
                #expect(error?.code == .inUse)
            }
            withExtendedLifetime(file) {}
            #expect(try await target.rows().count == 5)
        }
    }
}
