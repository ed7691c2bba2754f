import CQLProtocol
import DualWriteCore
import DualWriter
import NIOCore
import NIOPosix
import Testing

@Suite(.serialized, .timeLimit(.minutes(10)))
struct WriteModeTests {
    private static let insert = "INSERT INTO ks.t (a, b) VALUES (?, ?)"

    private static func text(_ response: Response) -> String? {
        guard case .result(.rows(let rows)) = response else { return nil }
        return rows.first?.cells.first.flatMap { $0 }.map { String(buffer: $0) }
    }

    @Test(arguments: WriteMode.allCases)
    func `reads and writes go where the mode says`(mode: WriteMode) async throws {
        try await ProxyHarness.run(mode: mode) { harness in
            let client = try await harness.client()
            let read = try await client.ask(query("SELECT name FROM ks.t"))
            #expect(Self.text(read) == mode.primary.description)
            #expect(try await client.ask(query(Self.insert, ["k", "v"])) == .result(.void))
            func writes(_ server: ScriptedServer) -> [ScriptedServer.Seen] {
                server.seen.filter { $0.text == Self.insert }
            }
            let primary = mode.primary == .source ? harness.source : harness.target
            let other = mode.primary == .source ? harness.target : harness.source
            #expect(writes(primary).count == 1)
            if mode.shadow != nil {
                try await eventually { writes(other).count == 1 }
                #expect(writes(other).first?.timestamp == writes(primary).first?.timestamp)
            } else {
                #expect(writes(other).isEmpty)
            }
            #expect(writes(primary).first?.timestamp != nil)
        }
    }

    @Test(arguments: [WriteMode.dualWriteAsync, .dualWriteSync, .shadowPrimary])
    func `writes that may not be repeated carry one timestamp to both clusters, too`(mode: WriteMode) async throws {
        let texts = [
            "UPDATE ks.t SET l = l + ['x'] WHERE a = 'k'", "INSERT INTO ks.t (a, b) VALUES ('k', ks.mine())",
            "BEGIN BATCH UPDATE ks.t SET l = ['x'] + l WHERE a = 'k' DELETE b FROM ks.t WHERE a = 'k' APPLY BATCH",
        ]
        try await ProxyHarness.run(mode: mode) { harness in
            let client = try await harness.client()
            for text in texts { #expect(try await client.ask(query(text)) == .result(.void)) }
            try await eventually { harness.source.seen.count == 3 && harness.target.seen.count == 3 }
            let stamps = harness.source.seen.map(\.timestamp)
            #expect(stamps.allSatisfy { $0 != nil })
            #expect(Set(stamps) == Set(harness.target.seen.map(\.timestamp)) && Set(stamps).count == 3)
        }
    }

    @Test func `the mode changes under load without an error, a lost or a doubled write`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            let client = try await harness.client()
            guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(Self.insert)) else {
                Issue.record("not prepared")
                return
            }
            let address = try harness.address
            let load = Task {
                var errors: [Response] = []
                var acknowledged: Set<String> = []
                let client = try await TestClient.start(on: address, group: harness.group)
                var round = 0
                while !Task.isCancelled {
                    let keys = (0..<40).map { "\(round)-\($0)" }
                    let answers = try await withThrowingTaskGroup(of: (String, Response).self) { tasks in
                        for key in keys {
                            tasks.addTask {
                                var parameters = QueryParameters(consistency: .one)
                                let values = [key, "v"].map { BoundValue.value(ByteBuffer(string: $0)) }
                                parameters.values = .positional(values)
                                let request = Request.execute(Execute(id: prepared.id, parameters: parameters))
                                return (key, try await client.ask(request))
                            }
                        }
                        return try await tasks.reduce(into: []) { $0.append($1) }
                    }
                    for (key, answer) in answers {
                        if answer == .result(.void) { acknowledged.insert(key) } else { errors.append(answer) }
                    }
                    round += 1
                }
                return (errors, acknowledged)
            }
            for mode: WriteMode in [.dualWriteAsync, .dualWriteSync, .shadowPrimary, .targetOnly, .shadowPrimary] {
                let before = harness.source.seen.count + harness.target.seen.count
                try await eventually { harness.source.seen.count + harness.target.seen.count > before + 200 }
                try await harness.proxy.setMode(mode)
            }
            load.cancel()
            let (errors, acknowledged) = try await load.value
            #expect(errors.isEmpty, "\(errors.prefix(3))")
            #expect(acknowledged.count > 500)
            try await eventually { await harness.proxy.status().legs.allSatisfy { $0.shadowWritesQueued == 0 } }
            for server in [harness.source, harness.target] {
                let keys = server.seen.compactMap(\.firstValue)
                #expect(Set(keys).count == keys.count, "a write came twice")
            }
            let all = Set((harness.source.seen + harness.target.seen).compactMap(\.firstValue))
            #expect(acknowledged.isSubset(of: all))
        }
    }

    @Test func `a shadow that refuses or is silent never reaches the client in DualWriteAsync`() async throws {
        try await ProxyHarness.run(mode: .dualWriteAsync) { harness in
            let client = try await harness.client()
            harness.target.react(.stayAway)
            harness.proxy.wait { $0.shadowWriteMilliseconds = 100 }
            #expect(try await client.ask(query(Self.insert, ["silent", "v"])) == .result(.void))
            try await eventually { await harness.proxy.status().counters.target.shadowRetried > 0 }
            harness.proxy.wait()
            harness.target.react(.succeed)
            try await eventually { await harness.proxy.status().counters.target.shadowDelivered == 1 }
            harness.target.react(.refuse(ErrorMessage(.invalid, "no such table")))
            #expect(try await client.ask(query(Self.insert, ["refused", "v"])) == .result(.void))
            try await eventually { await harness.proxy.status().counters.target.shadowDead == 1 }
        }
    }

    @Test func `a join tells the client of the shadow's error and delivers the write later`() async throws {
        try await ProxyHarness.run(mode: .dualWriteSync) { harness in
            let client = try await harness.client()
            let error = ErrorMessage(.truncateError, "busy")
            harness.target.react(.refuse(error))
            #expect(try await client.ask(query(Self.insert, ["k", "v"])) == .error(error))
            harness.target.react(.succeed)
            try await eventually { await harness.proxy.status().counters.target.shadowDelivered == 1 }
            #expect(harness.source.seen.filter { $0.text == Self.insert }.count == 1)
        }
    }

    @Test func `a silent primary is answered with a timeout of the right kind`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            let client = try await harness.client()
            #expect(try await client.ask(query(Self.insert, ["k", "v"])) == .result(.void))
            harness.source.react(.stayAway)
            harness.proxy.wait {
                $0.readMilliseconds = 100
                $0.primaryWriteMilliseconds = 100
            }
            guard case .error(let read) = try await client.ask(query("SELECT name FROM ks.t")),
                case .error(let write) = try await client.ask(query(Self.insert, ["k", "v"]))
            else {
                Issue.record("answers without a primary")
                return
            }
            #expect(read.code == .readTimeout && write.code == .writeTimeout)
            #expect(
                read.details == .readTimeout(consistency: .localQuorum, received: 0, blockFor: 1, dataPresent: false)
            )
        }
    }

    @Test func `a node that forgets its statements is prepared again without the client noticing`() async throws {
        try await ProxyHarness.run(mode: .dualWriteSync) { harness in
            let client = try await harness.client()
            guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(Self.insert)) else { return }
            #expect(prepared.id.readableBytes == 16)
            for _ in 0..<3 {
                var parameters = QueryParameters(consistency: .one)
                parameters.values = .positional([.value(ByteBuffer(string: "k")), .value(ByteBuffer(string: "v"))])
                let execute = Request.execute(Execute(id: prepared.id, parameters: parameters))
                #expect(try await client.ask(execute) == .result(.void))
                harness.source.forgetPrepared()
                harness.target.forgetPrepared()
            }
            #expect(harness.source.prepares >= 3 && harness.target.prepares >= 3)
        }
    }

    @Test func `the client's own PREPARE is enough for its first EXECUTE`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            let client = try await harness.client()
            guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(Self.insert)) else { return }
            var parameters = QueryParameters(consistency: .one)
            parameters.values = .positional([.value(ByteBuffer(string: "k")), .value(ByteBuffer(string: "v"))])
            let execute = Request.execute(Execute(id: prepared.id, parameters: parameters))
            #expect(try await client.ask(execute) == .result(.void))
            #expect(harness.source.prepares == 1)
        }
    }

    @Test func `custom payloads reach both clusters, with and without prepared ids`() async throws {
        try await ProxyHarness.run(mode: .dualWriteSync) { harness in
            let client = try await harness.client()
            let payload: WireMap<ByteBuffer?> = ["tenant": ByteBuffer(string: "7"), "empty": nil]
            let answer = try await client.ask(query(Self.insert, ["k", "v"]), payload: payload)
            #expect(answer == .result(.void))
            guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(Self.insert)) else { return }
            var parameters = QueryParameters(consistency: .one)
            parameters.values = .positional([.value(ByteBuffer(string: "p")), .value(ByteBuffer(string: "v"))])
            let execute = Request.execute(Execute(id: prepared.id, parameters: parameters))
            #expect(try await client.ask(execute, payload: payload) == .result(.void))
            #expect(harness.source.payloads == [2, 2])
            #expect(harness.target.payloads == [2, 2])
            #expect(harness.target.seen.map(\.firstValue) == ["k", "p"])
        }
    }

    @Test func `a PREPARE that is never answered costs one deadline and nothing after it`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            let client = try await harness.client()
            guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(Self.insert)) else { return }
            var parameters = QueryParameters(consistency: .one)
            parameters.values = .positional([.value(ByteBuffer(string: "k")), .value(ByteBuffer(string: "v"))])
            let execute = Request.execute(Execute(id: prepared.id, parameters: parameters))
            harness.source.forgetPrepared()
            harness.source.ignorePrepares(true)
            harness.proxy.wait { $0.primaryWriteMilliseconds = 150 }
            guard case .error(let error) = try await client.ask(execute) else {
                Issue.record("executed without its PREPARE")
                return
            }
            #expect(error.code == .unavailable)
            harness.source.ignorePrepares(false)
            harness.proxy.wait()
            #expect(try await client.ask(execute) == .result(.void))
        }
    }

    @Test func `the loss of one of two nodes is no error for reads and repeatable writes`() async throws {
        let second = ScriptedServer(name: "source", salt: 1)
        try await second.start(on: MultiThreadedEventLoopGroup.singleton)
        try await ProxyHarness.run(mode: .primaryOnly, sourcePeers: [second]) { harness in
            try await eventually { await harness.proxy.status().leg(.source)?.nodesConnected == 2 }
            let client = try await harness.client()
            let load = Task {
                var errors: [Response] = []
                var round = 0
                while !Task.isCancelled {
                    round += 1
                    let keys = (0..<20).map { "\(round)-\($0)" }
                    let answers = try await withThrowingTaskGroup(of: Response.self) { tasks in
                        for key in keys {
                            tasks.addTask { try await client.ask(query(Self.insert, [key, "v"])) }
                            tasks.addTask { try await client.ask(query("SELECT name FROM ks.t")) }
                        }
                        return try await tasks.reduce(into: []) { $0.append($1) }
                    }
                    for case .error(let error) in answers { errors.append(.error(error)) }
                }
                return errors
            }
            try await eventually { second.seen.count > 200 && harness.source.seen.count > 200 }
            await second.kill()
            let before = harness.source.seen.count
            try await eventually { harness.source.seen.count > before + 500 }
            load.cancel()
            let errors = try await load.value
            #expect(errors.isEmpty, "\(errors.prefix(3))")
        }
    }

    @Test func `the outcome of a conditional statement reaches the shadow only when it was applied`() async throws {
        try await ProxyHarness.run(mode: .dualWriteAsync) { harness in
            let client = try await harness.client()
            let text = "INSERT INTO ks.t (a, b) VALUES (?, ?) IF NOT EXISTS"
            _ = try await client.ask(query(text, ["taken", "v"]))
            _ = try await client.ask(query(text, ["free", "v"]))
            try await eventually { !harness.target.seen.isEmpty }
            let shipped = try #require(harness.target.seen.first)
            #expect(shipped.firstValue == "free")
            #expect(!shipped.text.contains("EXISTS"))
            #expect(shipped.timestamp != nil)
            #expect(harness.target.seen.count == 1)
        }
    }

    @Test func `values that only a condition used are left out of its outcome, named ones as well`() async throws {
        try await ProxyHarness.run(mode: .dualWriteAsync) { harness in
            let client = try await harness.client()
            let text = "UPDATE ks.t SET b = :new WHERE a = :key IF b = :old"
            var parameters = QueryParameters(consistency: .one)
            parameters.values = .named(
                ["new", "key", "old"].map { .init(name: $0, value: .value(ByteBuffer(string: $0))) }
            )
            _ = try await client.ask(.query(Query(text, parameters: parameters)))
            _ = try await client.ask(query("UPDATE ks.t SET b = ? WHERE a = ? IF b = ?", ["n", "k", "o"]))
            try await eventually { harness.target.seen.count == 2 }
            #expect(harness.target.seen.map(\.values) == [["new=new", "key=key"], ["n", "k"]])
            #expect(harness.target.seen.allSatisfy { !$0.text.contains("IF") })
        }
    }

    @Test func `a cluster that is known to lack writes becomes primary by force only`() async throws {
        try await ProxyHarness.run(mode: .dualWriteSync) { harness in
            let client = try await harness.client()
            harness.target.react(.refuse(ErrorMessage(.invalid, "no")))
            _ = try await client.ask(query(Self.insert, ["k", "v"]))
            try await eventually { await harness.proxy.status().counters[.target].shadowDead == 1 }
            let error = await #expect(throws: DualWriterError.self) {
                try await harness.proxy.setMode(.shadowPrimary)
            }
            #expect(error?.code == .writesLost)
            try await harness.proxy.setMode(.shadowPrimary, force: true, reason: "repaired by hand")
        }
    }

    @Test func `a write longer than the whole shadow queue still reaches the shadow`() async throws {
        try await ProxyHarness.run(mode: .dualWriteAsync, configure: { $0.limits.shadowQueueBytesMax = 1_000 }) {
            harness in
            let client = try await harness.client()
            let long = String(repeating: "v", count: 40_000)
            #expect(try await client.ask(query(Self.insert, ["k", long])) == .result(.void))
            try await eventually { harness.target.seen.count == 1 }
            #expect(await harness.proxy.status().counters[.target].shadowOverflowed == 0)
        }
    }

    @Test func `a stop whose drain takes too long is a stop all the same`() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        try await ProxyHarness.run(mode: .dualWriteAsync) { configuration in
            configuration.timeouts.drainMilliseconds = 100
            configuration.timeouts.shadowWriteMilliseconds = 60
        } _: { harness in
            harness.target.react(.stayAway)
            let client = try await TestClient.start(on: try harness.address, group: group)
            for number in 0..<50 { _ = try await client.ask(query(Self.insert, ["\(number)", "v"])) }
        }
        // What was planned on the loops for later would come now.
        try await Task.sleep(for: .milliseconds(300))
    }

    @Test func `too far a step and an unreachable new primary are refused, and nothing changes`() async throws {
        try await ProxyHarness.run(mode: .dualWriteSync) { harness in
            await #expect(throws: DualWriterError.self) { try await harness.proxy.setMode(.targetOnly) }
            await harness.target.kill()
            try await eventually { await harness.proxy.status().leg(.target)?.isConnected == false }
            let error = await #expect(throws: DualWriterError.self) {
                try await harness.proxy.setMode(.shadowPrimary)
            }
            #expect(error?.code == .clusterUnreachable)
            #expect(harness.proxy.mode.mode == .dualWriteSync)
        }
    }
}
