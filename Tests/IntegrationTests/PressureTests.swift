import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// What happens when applications ask for more than a loop should hold at once.
struct PressureTests {
    @Test func `a client that asks for too much at once is read from later, and refused nothing`() async throws {
        try await JournalHarness.run { harness in
            harness.source.setFaults([FaultRule(.textContains("INSERT"), .delay(.milliseconds(300)))])
            let count = 64
            try await harness.sidecar(.dualWriteAsync) {
                $0.limits.clientBytesInFlightMax = 64 << 10
                $0.timeouts.primaryWriteMilliseconds = 60_000
            } _: { proxy, client in
                // Together far more than the limit, and than what one read brings.
                let value = String(repeating: "v", count: 32 << 10)
                let answers = try await withThrowingTaskGroup(of: Response.self) { group in
                    for key in 0..<count {
                        group.addTask {
                            try await client.ask(query("INSERT INTO one.t (p, v) VALUES ('\(key)', '\(value)')"))
                        }
                    }
                    var answers: [Response] = []
                    for try await answer in group { answers.append(answer) }
                    return answers
                }
                #expect(answers.allSatisfy { if case .result = $0 { true } else { false } })
                let counters = await proxy.status().counters
                #expect(counters.readPauses > 0)
                #expect(counters.overloaded == 0)
                try await harness.settled(proxy)
                let copied = try await harness.rows(.target)
                #expect(copied.count == count)
            }
        }
    }

    @Test func `a client that does not read its answers is closed, and nobody else is`() async throws {
        try await JournalHarness.run { harness in
            let value = String(repeating: "v", count: 256 << 10)
            try await harness.client(of: .source) { client in
                for key in 0..<8 {
                    let insert = query("INSERT INTO one.t (p, v) VALUES ('\(key)', '\(value)')")
                    let answer = try await client.ask(insert)
                    #expect(answer == .result(.void))
                }
            }
            try await harness.sidecar(.dualWriteAsync) {
                $0.limits.clientQueuedBytesMax = 1 << 20
            } _: { proxy, client in
                let address = try #require(proxy.boundAddress)
                let deaf = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .channelOption(.autoRead, value: false)
                    .connect(to: address).get()
                let select = Request.query(Query("SELECT * FROM one.t"))
                let startup = Request.startup(["CQL_VERSION": "3.0.0"])
                var bytes = try RequestFrame(stream: 0, request: startup).encoded()
                // More than the limit and all sockets on the way hold.
                for stream in Int16(1)...60 {
                    bytes.writeImmutableBuffer(try RequestFrame(stream: stream, request: select).encoded())
                }
                try await deaf.writeAndFlush(bytes)
                try await eventually { await proxy.status().counters.slowClientsClosed == 1 }
                try await eventually { await proxy.status().clients == 1 }
                let answer = try await client.ask(query("SELECT p FROM one.t"))
                #expect(answer.firstColumn.count == 8)
                try? await deaf.close()
            }
        }
    }

    @Test func `a client that asks one thing after the other is read from although others ask for too much`()
        async throws
    {
        try await JournalHarness.run { harness in
            harness.source.setFaults([FaultRule(.textContains("INSERT"), .drop)])
            try await harness.sidecar(.dualWriteAsync) {
                $0.limits.clientBytesInFlightMax = 64 << 10
                $0.timeouts.primaryWriteMilliseconds = 5_000
            } _: { proxy, greedy in
                let modest = try await TestClient.start(
                    on: try #require(proxy.boundAddress),
                    group: MultiThreadedEventLoopGroup.singleton
                )
                let value = String(repeating: "v", count: 128 << 10)
                let isOver = Mutex(false)
                let waiting = Task {
                    let answer = try await greedy.ask(query("INSERT INTO one.t (p, v) VALUES ('k', '\(value)')"))
                    isOver.withLock { $0 = true }
                    return answer
                }
                try await eventually { await proxy.status().counters.readPauses > 0 }
                for _ in 0..<5 { _ = try await modest.ask(query("SELECT p FROM one.t")) }
                #expect(!isOver.withLock { $0 })
                _ = try await waiting.value
                await modest.close()
            }
        }
    }

    @Test(arguments: [ErrorCode.unavailable, .overloaded, .isBootstrapping])
    func `what one cluster has is not told to be done nowhere`(code: ErrorCode) async throws {
        try await JournalHarness.run(schema: "p text PRIMARY KEY, v counter") { harness in
            let details: ErrorMessage.Details =
                code == .unavailable ? .unavailable(consistency: .one, required: 1, alive: 0) : .none
            let refusal = ErrorMessage(code, "busy", details: details)
            harness.target.setFaults([FaultRule(.textContains("UPDATE"), .error(refusal))])
            try await harness.sidecar(.dualWriteSync) { proxy, client in
                let answer = try await client.ask(query("UPDATE one.t SET v = v + 1 WHERE p = 'k'"))
                guard case .error(let error) = answer else {
                    Issue.record("\(answer)")
                    return
                }
                // A driver sends again what was unavailable; what has timed out it does not.
                #expect(
                    error.code == .writeTimeout && error.message.contains("the target cluster has refused it: busy")
                )
                let applied = try await harness.rows(.source, "p, v")
                #expect(applied.count == 1)
                harness.target.setFaults([])
                try await harness.settled(proxy)
                let (source, target) = (
                    try await harness.rows(.source, "p, v"), try await harness.rows(.target, "p, v")
                )
                #expect(source == target)
            }
        }
    }
}
