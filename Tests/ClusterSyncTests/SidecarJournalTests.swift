import DualWriteCore
import Operations
import Testing

@testable import ClusterSync
@testable import DualWriter

/// What an operator sees of what the clusters are owed, and does with it.
struct SidecarJournalTests: ControlTests {
    private static func letter(_ id: UInt64, _ cluster: Cluster = .target, _ statements: [String] = []) -> DeadLetter {
        DeadLetter(
            id: id,
            cluster: cluster,
            writtenAt: 1_764_078_000_000,
            errorCode: 0x2200,
            reason: "unconfigured table orders",
            keyspace: "shop",
            user: "app",
            statements: statements
        )
    }

    private static func dirty(
        _ keyspace: String,
        _ table: String,
        _ key: [UInt8]? = [1],
        on cluster: Cluster = .target,
        _ reason: DoubtReason = .journalFull
    ) -> DirtyPartition {
        DirtyPartition(
            place: .init(keyspace: keyspace, table: table, key: key),
            cluster: cluster,
            reason: reason,
            since: 1_764_078_000_123
        )
    }

    @Test func `the journal is told by cluster and table, the greatest table first`() async throws {
        try await self.withControl { bench in
            bench.proxy.with {
                $0.configureLeg = { leg in
                    guard leg.cluster == .target else { return }
                    leg.shadowWritesQueued = 7
                    leg.shadowBytesQueued = 700
                    leg.shadowOldestMilliseconds = 90_000
                    leg.journalDiskBytes = 16 << 20
                    leg.isBehind = true
                    leg.isHeldBack = true
                    leg.isBreakerOpen = true
                    leg.waitsForLoginOf = Set((0..<30).map { "user\($0 + 10)" })
                    leg.recordsLookedAt = 7
                    for (name, records) in [("a.small", 1), ("a.b", 3), ("a.c", 3)] {
                        var table = DualWriterStatus.Leg.Table()
                        table.records = records
                        table.oldestMilliseconds = 100 * records
                        leg.tables[name] = table
                    }
                }
            }
            let document = await bench.control.journal()
            #expect(document.enabled)
            let target = try #require(document.clusters.last)
            #expect(target.cluster == "target" && target.records == 7 && target.bytes == 700)
            #expect(target.diskBytes == 16 << 20 && target.oldestAgeMs == 90_000)
            #expect(target.behind && target.heldBack && target.breakerOpen)
            #expect(target.waitsForLogins == 30)
            #expect(target.waitsForLoginOf == (10..<30).map { "user\($0)" })
            #expect(
                target.tables == [
                    .init(table: "a.b", records: 3, oldestAgeMs: 300),
                    .init(table: "a.c", records: 3, oldestAgeMs: 300),
                    .init(table: "a.small", records: 1, oldestAgeMs: 100),
                ]
            )
            #expect(document.clusters.first?.records == 0)
        }
    }

    @Test func `a dead letter is shown without its values`() async throws {
        try await self.withControl { bench in
            let texts =
                ["INSERT INTO orders (id) VALUES ('secret')"] + (0..<9).map { "UPDATE t SET v = \($0) WHERE p = 0" }
            bench.proxy.with { $0.letters = [Self.letter(3, .target, texts), Self.letter(4, .source)] }
            let document = await bench.control.deadLetters(of: nil, max: 10)
            #expect(document.source == 1 && document.target == 1)
            let letter = try #require(document.letters.first)
            #expect(letter.id == 3 && letter.cluster == "target" && letter.error == "INVALID")
            #expect(letter.writtenAt == "2025-11-25T13:40:00.000Z")
            #expect(letter.statements.count == 5 && letter.statementCount == 10)
            #expect(letter.statements.first == "INSERT INTO orders (id) VALUES (…)")
            #expect(await bench.control.deadLetters(of: "source", max: 10).letters.map(\.id) == [4])
            #expect(await bench.control.deadLetters(of: nil, max: 1).letters.map(\.id) == [3])
        }
    }

    @Test func `what is retried is counted, what is not there is named`() async throws {
        try await self.withControl { bench in
            bench.proxy.with { $0.letters = [Self.letter(1), Self.letter(2), Self.letter(3), Self.letter(9, .source)] }
            let done = try await bench.control.change(.init(.retry, cluster: "target", ids: [2, 1, 7, 9], by: "test"))
            #expect(done.changed == 2 && done.unknown == [7, 9] && done.withoutRoom == 0 && done.left == 1)
            #expect(bench.proxy.with { $0.calls } == ["retry target [1, 2]"])
            let rest = try await bench.control.change(
                .init(.discard, cluster: "target", ids: nil, reason: "r", by: "t")
            )
            #expect(rest.changed == 1 && rest.left == 0 && rest.unknown.isEmpty)
            #expect(bench.proxy.with { $0.letters.map(\.id) } == [9])
        }
    }

    @Test func `a journal without room takes what fits, and says so where nothing does`() async throws {
        try await self.withControl { bench in
            bench.proxy.with {
                $0.letters = [Self.letter(1), Self.letter(2), Self.letter(3)]
                $0.room = 2
            }
            let done = try await bench.control.change(.init(.retry, cluster: "target", ids: nil, by: "test"))
            #expect(done.changed == 2 && done.withoutRoom == 1 && done.left == 1)
            bench.proxy.with { $0.room = 0 }
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.change(.init(.retry, cluster: "target", ids: nil, by: "test"))
            }
            #expect(refusal?.code == .journalFull)
        }
    }

    @Test func `what is not there cannot be retried, and a failure changes nothing`() async throws {
        try await self.withControl { bench in
            for ids in [nil, Set<UInt64>([5])] {
                let refusal = await self.refusal { () async throws(AdminError) in
                    _ = try await bench.control.change(.init(.retry, cluster: "target", ids: ids, by: "test"))
                }
                #expect(refusal?.code == .nothingFound)
            }
            bench.proxy.with {
                $0.letters = [Self.letter(1)]
                $0.refusesHosts = true
            }
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.change(.init(.retry, cluster: "target", ids: nil, by: "test"))
            }
            #expect(refusal?.code == .changeFailed)
            #expect(await bench.control.deadLetters(of: nil, max: 10).target == 1)
        }
    }

    @Test func `without a journal changing is refused with what to do`() async throws {
        try await self.withControl { bench in
            bench.proxy.with { $0.hasJournal = false }
            let refusals = [
                await self.refusal { () async throws(AdminError) in
                    _ = try await bench.control.change(.init(.retry, cluster: "target", ids: nil, by: "test"))
                },
                await self.refusal { () async throws(AdminError) in
                    _ = try await bench.control.clear(.init(cluster: "target", table: nil, reason: "r", by: "test"))
                },
            ]
            for refusal in refusals {
                #expect(refusal?.code == .journalDisabled)
                #expect(refusal?.hint?.contains("journal.enabled") == true)
            }
            #expect(await bench.control.journal().enabled == false)
            #expect(bench.proxy.with { $0.calls }.isEmpty)
        }
    }

    @Test func `partitions in doubt are told by table and reason, the worst first`() async throws {
        try await self.withControl { bench in
            let long = [UInt8](repeating: 0xab, count: 2_000)
            bench.proxy.with {
                $0.dirty = [
                    Self.dirty("shop", "orders", [0xca, 0xfe], .conditional),
                    Self.dirty("shop", "orders", long, .conditional),
                    Self.dirty("shop", "Orders", nil), Self.dirty("", "", nil, on: .source, .damaged),
                    Self.dirty("shop", "", nil, .primaryUnknown),
                ]
            }
            let document = try await bench.control.dirty(.init(limit: 3))
            #expect(document.total == 5 && document.groupsLeftOut == 0)
            #expect(
                document.summary == [
                    .init(cluster: "source", table: nil, reason: "damaged", severity: "loss", partitions: 1),
                    .init(
                        cluster: "target",
                        table: #"shop."Orders""#,
                        reason: "journal_full",
                        severity: "loss",
                        partitions: 1
                    ),
                    .init(
                        cluster: "target",
                        table: "shop.*",
                        reason: "primary_unknown",
                        severity: "surplus",
                        partitions: 1
                    ),
                    .init(
                        cluster: "target",
                        table: "shop.orders",
                        reason: "conditional",
                        severity: "precaution",
                        partitions: 2
                    ),
                ]
            )
            #expect(document.partitions.map(\.key) == ["cafe", String(repeating: "ab", count: 1_024), nil])
            #expect(document.partitions.map(\.keyBytes) == [2, 2_000, nil])
            #expect(document.partitions.first?.since == "2025-11-25T13:40:00.123Z")
            #expect(try await bench.control.dirty(.init(cluster: "source", limit: 10)).partitions.count == 1)
        }
    }

    @Test(arguments: [
        (nil, 4), ("shop.orders", 1), (#"shop."Orders""#, 1), ("shop.*", 3), ("shop", 3), ("SHOP.ORDERS", 1),
    ])
    func `partitions are cleared by cluster, keyspace or table`(table: String?, cleared: Int) async throws {
        try await self.withControl { bench in
            bench.proxy.with {
                $0.dirty = [
                    Self.dirty("shop", "orders"), Self.dirty("shop", "Orders"), Self.dirty("shop", "", nil),
                    Self.dirty("other", "orders"), Self.dirty("shop", "orders", on: .source),
                ]
            }
            let clearing = DirtyClearing(cluster: "target", table: table, reason: "repaired", by: "test")
            let done = try await bench.control.clear(clearing)
            #expect(done.cleared == cleared && done.left == 4 - cleared)
            #expect(bench.proxy.with { $0.dirty.count { $0.cluster == .source } } == 1)
        }
    }

    @Test func `what is no table and what is not in doubt is not cleared`() async throws {
        try await self.withControl { bench in
            bench.proxy.with { $0.dirty = [Self.dirty("shop", "orders")] }
            for (table, code) in [
                ("shop.", AdminError.Code.invalidDocument), ("1.2", .invalidDocument), ("shop.nothing", .nothingFound),
                ("nothing.*", .nothingFound),
            ] {
                let refusal = await self.refusal { () async throws(AdminError) in
                    _ = try await bench.control.clear(.init(cluster: "target", table: table, reason: "r", by: "test"))
                }
                #expect(refusal?.code == code, "\(table)")
            }
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.clear(.init(cluster: "source", table: nil, reason: "r", by: "test"))
            }
            #expect(refusal?.code == .nothingFound)
            #expect(bench.proxy.with { $0.dirty.count } == 1)
        }
    }

    @Test func `the status of a leg tells what it is owed, and health says the same as without`() async throws {
        try await self.withControl { bench in
            let before = await bench.control.health()
            bench.proxy.with {
                $0.letters = [Self.letter(1)]
                $0.dirty = [Self.dirty("shop", "orders"), Self.dirty("shop", "orders", [2], .conditional)]
                $0.configureLeg = { leg in
                    leg.isHeldBack = true
                    leg.waitsForLoginOf = ["app"]
                }
            }
            let leg = try #require(await bench.control.status().legs.last)
            #expect(leg.deadLetters == 1 && leg.dirtyPartitions == 2 && leg.dirtyWithLoss == 1)
            #expect(leg.heldBack && leg.waitsForLoginOf == ["app"] && leg.waitsForLogins == 1)
            var after = await bench.control.health()
            after.uptimeSeconds = before.uptimeSeconds
            #expect(after == before)
        }
    }

    @Test func `entries of one table are told with ids, and those that are named are cleared`() async throws {
        try await self.withControl { bench in
            var (one, two) = (Self.dirty("shop", "orders", [1]), Self.dirty("shop", "orders", [2]))
            (one.mark, two.mark) = (7, 9)
            bench.proxy.with { $0.dirty = [two, one, Self.dirty("shop", "users", [3])] }
            let listed = try await bench.control.dirty(.init(cluster: "target", table: "shop.orders", limit: 10))
            #expect(listed.partitions.map(\.id) == ["7", "9"] && listed.partitions.map(\.key) == ["01", "02"])
            let behind = try await bench.control.dirty(.init(table: "shop.orders", after: 7, limit: 10))
            #expect(behind.partitions.map(\.id) == ["9"])
            let clearing = DirtyClearing(cluster: "target", table: nil, ids: [7, 8], reason: "compared", by: "test")
            let done = try await bench.control.clear(clearing)
            #expect(done.cleared == 1 && done.left == 2)
            // What has gone or come again since it was seen is no fault.
            #expect(try await bench.control.clear(clearing).cleared == 0)
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.dirty(.init(table: "or ders", limit: 1))
            }
            #expect(refusal?.code == .invalidDocument)
        }
    }

    @Test func `partitions that are owed are told by their places`() async throws {
        try await self.withControl { bench in
            bench.proxy.with { ($0.owed, $0.isOwedComplete) = ([[2], [9]], false) }
            let question = OwedQuestion(keyspace: "shop", table: "orders", keys: [[1], [2], [2], [3]])
            let answer = try await bench.control.owed(question)
            #expect(answer == OwedDocument(owed: [1, 2], complete: false))
        }
    }
}
