import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import ShadowJournal
import TestSupport
import Testing

/// Single histories that random ones have found (``SimulationTests``), each with the least that it takes.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct JournalFaultTests {
    private static let insert = "INSERT INTO one.t (p, v) VALUES ('1', 'v')"

    private static func reasons(_ proxy: DualWriterService, _ cluster: Cluster = .target) -> [DoubtReason] {
        proxy.dirtyPartitions(max: 100).filter { $0.cluster == cluster }.map(\.reason)
    }

    @Test func `a PREPARE that the shadow never answers holds nobody up`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults([FaultRule(.opcode(.prepare), .drop, times: 1)])
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.shadowWriteMilliseconds = 50
            } _: { proxy, client in
                let answer = try await client.ask(.prepare("INSERT INTO one.t (p, v) VALUES (?, 'v')"))
                guard case .result(.prepared(let prepared)) = answer else {
                    Issue.record("not prepared: \(answer)")
                    return
                }
                for key in 0..<10 {
                    let values = QueryValues.positional([.value(ByteBuffer(string: "\(key)"))])
                    let parameters = QueryParameters(consistency: .one, values: values)
                    let answer = try await client.ask(.execute(Execute(id: prepared.id, parameters: parameters)))
                    #expect(answer == .result(.void))
                }
                try await harness.settled(proxy)
            }
            #expect(try await harness.rows(.target) == harness.rows(.source))
        }
    }

    @Test func `a PREPARE that is lost again and again holds nobody up who comes back to wait for it`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults([FaultRule(.opcode(.prepare), .drop, times: 6)])
            try await harness.sidecar(.dualWriteSync) {
                $0.policy.syncFailure = .degrade
                $0.timeouts.primaryWriteMilliseconds = 1_000
                $0.timeouts.shadowWriteMilliseconds = 60
                $0.limits.shadowRetryMillisecondsMax = 50
                $0.limits.shadowUnreachableMilliseconds = 20
            } _: { proxy, client in
                let answer = try await client.ask(.prepare("INSERT INTO one.t (p, v) VALUES (?, 'v')"))
                guard case .result(.prepared(let prepared)) = answer else {
                    Issue.record("not prepared: \(answer)")
                    return
                }
                try await withThrowingTaskGroup(of: Response.self) { group in
                    for key in 0..<8 {
                        group.addTask {
                            let values = QueryValues.positional([.value(ByteBuffer(string: "\(key)"))])
                            let parameters = QueryParameters(consistency: .one, values: values)
                            return try await client.ask(.execute(Execute(id: prepared.id, parameters: parameters)))
                        }
                    }
                    for try await answer in group { #expect(answer == .result(.void)) }
                }
                try await harness.settled(proxy)
            }
            #expect(try await harness.rows(.target) == harness.rows(.source))
        }
    }

    @Test func `a write whose first attempt may have happened is not refused because the second one finds nobody`()
        async throws
    {
        try await JournalHarness.run { harness in
            // Done, never answered; then the node is gone, and with it whoever could take the second attempt.
            harness.source.setFaults([FaultRule(.textContains("INSERT"), .dropAnswer)])
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.primaryWriteMilliseconds = 500
                $0.timeouts.drainMilliseconds = 100
            } _: { proxy, client in
                async let answer = client.ask(query(Self.insert))
                try await eventually {
                    !harness.source.store.cells(keyspace: "one", table: "t").isEmpty
                }
                await harness.source.kill()
                guard case .error(let error) = try await answer else {
                    Issue.record("acknowledged")
                    return
                }
                #expect(error.code == .writeTimeout)
                // Both halves of the story: a password that was changed meanwhile would be told here, too.
                #expect(
                    error.message.contains(
                        "connection lost before the answer by the source cluster; it was tried again, and then: "
                            + "cluster-sync: no node of the source cluster can be reached"
                    ),
                    "\(error.message)"
                )
                try await eventually { try await harness.rows(.target).count == 1 }
                #expect(Self.reasons(proxy) == [.primaryUnknown])
            }
        }
    }

    @Test func `a start delivers what stands before the writes that both clusters get`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults([FaultRule(.textContains("INSERT"), .drop)])
            var left: TemporaryFolder?
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.drainMilliseconds = 100
            } _: { proxy, client in
                for key in 0..<5 {
                    let insert = query("INSERT INTO one.t (p, v) VALUES ('\(key)', 'v')")
                    #expect(try await client.ask(insert) == .result(.void))
                }
                try await proxy.setMode(.shadowPrimary, force: true, reason: "test")
                async let answer = client.ask(query("INSERT INTO one.t (p, v) VALUES ('5', 'v')"))
                try await eventually { await proxy.status().leg(.source)?.shadowWritesQueued == 1 }
                left = try harness.folder.copy()
                await client.close()
                _ = try? await answer
            }
            let killed = try #require(left)
            harness.target.setFaults([])
            try await harness.sidecar(.shadowPrimary, in: killed) { proxy, _ in try await harness.settled(proxy) }
            let rows = try await harness.rows(.source)
            #expect(rows.count == 6)
            #expect(try await harness.rows(.target) == rows)
        }
    }

    @Test func `partitions in doubt that cannot be read any more put everything into doubt`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults([FaultRule(.textContains("UPDATE"), .dropAnswer)])
            var left: TemporaryFolder?
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.shadowWriteMilliseconds = 50
                $0.timeouts.drainMilliseconds = 100
            } _: { proxy, client in
                // Not understood, so that it is not repeated.
                harness.source.setFaults([FaultRule(.textContains("INSERT"), .error(ErrorMessage(.serverError, "?")))])
                _ = try await client.ask(query(Self.insert))
                #expect(Self.reasons(proxy) == [.primaryUnknown])
                left = try harness.folder.copy()
            }
            let damaged = try #require(left)
            try JournalDamage(bytes: 16, mask: 0x5a).inflict(on: damaged, log: "dirty")
            try await harness.sidecar(.dualWriteAsync, in: damaged) { proxy, _ in
                for cluster in Cluster.allCases { #expect(Self.reasons(proxy, cluster).contains(.damaged)) }
            }
        }
    }

    @Test func `list appends to a silent shadow are given up one by one and at its own pace`() async throws {
        try await JournalHarness.run(schema: "p text PRIMARY KEY, l list<text>") { harness in
            harness.target.setFaults([FaultRule(.textContains("UPDATE"), .drop)])
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.shadowWriteMilliseconds = 30
                $0.limits.shadowBreaker = .init(pauseMillisecondsMin: 20, pauseMillisecondsMax: 20)
            } _: { proxy, client in
                // More than it takes to open the breaker.
                for key in 0..<12 {
                    let append = query("UPDATE one.t SET l = l + ['v'] WHERE p = '\(key)'")
                    #expect(try await client.ask(append) == .result(.void))
                }
                try await harness.settled(proxy, silently: true)
                #expect(Self.reasons(proxy) == Array(repeating: .shadowUnknown, count: 12))
            }
        }
    }

    @Test func `a dead letter that comes later than it should leaves a doubt where its place counts`() async throws {
        try await JournalHarness.run(schema: "p text PRIMARY KEY, l list<text>") { harness in
            let refusal = ErrorMessage(.invalid, "not now")
            harness.target.setFaults([FaultRule(.textContains("UPDATE"), .error(refusal), times: 1)])
            try await harness.sidecar(.dualWriteAsync) { proxy, client in
                for value in ["a", "b"] {
                    let append = query("UPDATE one.t SET l = l + ['\(value)'] WHERE p = '1'")
                    #expect(try await client.ask(append) == .result(.void))
                    try await harness.settled(proxy)
                }
                #expect(try await proxy.retryDeadLetters(of: .target, ids: nil) == 1)
                try await harness.settled(proxy)
                #expect(Self.reasons(proxy) == [.overtaken])
            }
        }
    }

    @Test func `TRUNCATE on a cluster that is still owed what came before leaves a doubt`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults([FaultRule(.textContains("INSERT"), .drop)])
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.shadowWriteMilliseconds = 50
            } _: { proxy, client in
                #expect(try await client.ask(query(Self.insert)) == .result(.void))
                try await proxy.setMode(.shadowPrimary, force: true, reason: "test")
                #expect(try await client.ask(query("TRUNCATE one.t")) == .result(.void))
                harness.target.setFaults([])
                try await harness.settled(proxy)
                #expect(Self.reasons(proxy) == [.overtaken])
                await #expect(throws: DualWriterError.self) {
                    try await proxy.setMode(.dualWriteSync); try await proxy.setMode(.shadowPrimary)
                }
            }
        }
    }

    @Test func `a TRUNCATE that the shadow gets twice leaves a doubt`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults([FaultRule(.textContains("TRUNCATE"), .dropAnswer, times: 1)])
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.shadowWriteMilliseconds = 50
            } _: { proxy, client in
                #expect(try await client.ask(query("TRUNCATE one.t")) == .result(.void))
                try await harness.settled(proxy)
                #expect(Self.reasons(proxy) == [.overtaken])
            }
        }
    }
}
