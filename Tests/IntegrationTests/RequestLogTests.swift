import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import TestSupport
import Testing

/// Single requests in the log, from a client to both clusters.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct RequestLogTests {
    private static let schema = [
        "CREATE KEYSPACE one WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE one.t (p text PRIMARY KEY, v text)",
    ]
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    private static func payload(_ flags: String) -> WireMap<ByteBuffer?> {
        WireMap([
            .init(key: "traceparent", value: ByteBuffer(string: "00-\(Self.trace)-00f067aa0ba902b7-\(flags)"))
        ])
    }

    private static func run(
        _ mode: WriteMode,
        _ settings: RequestLogSettings,
        _ body: (SidecarHarness, RecordedLog) async throws -> Void
    ) async throws {
        let log = RecordedLog()
        try await SidecarHarness.run(mode: mode, schema: Self.schema, logger: log.logger) {
            $0.requestLog = settings
        } _: { harness in
            try await body(harness, log)
        }
    }

    @Test func `a write and its copy are found under one id, with what the application's trace is called`() async throws
    {
        try await Self.run(.dualWriteAsync, RequestLogSettings(oneIn: 1)) { harness, log in
            let client = try await harness.client()
            guard
                case .result(.prepared(let prepared)) = try await client.ask(
                    .prepare("INSERT INTO one.t (p, v) VALUES (?, 'x')")
                )
            else {
                Issue.record("not prepared")
                return
            }
            var parameters = QueryParameters(consistency: .localQuorum)
            parameters.values = .positional([.value(ByteBuffer(string: "a"))])
            let answer = try await client.ask(
                .execute(Execute(id: prepared.id, parameters: parameters)),
                payload: Self.payload("01")
            )
            #expect(answer == .result(.void))
            try await eventually { !log.lines("copy finished").isEmpty }
            let line = try #require(
                log.lines("request answered").first { $0.metadata["opcode"] == "EXECUTE" }?.metadata
            )
            let copy = try #require(log.lines("copy finished").first?.metadata)
            #expect(line["request"] == copy["request"] && line["request"] != nil)
            #expect(line["trace_id"] == Self.trace && copy["trace_id"] == Self.trace)
            #expect(line["span_id"] == "00f067aa0ba902b7")
            #expect(line["table"] == "one.t" && line["kind"] == "write" && line["consistency"] == "LOCAL_QUORUM")
            #expect(line["mode"] == "DualWriteAsync" && line["source"] == "127.0.0.1:\(harness.source.port)")
            #expect(line["target"] == nil && line["error"] == nil)
            #expect(copy["cluster"] == "target" && copy["copy"] == "delivered" && copy["attempts"] == "1")
            #expect(copy["node"] == "127.0.0.1:\(harness.target.port)")
            #expect(Int(line["took-us"] ?? "") ?? -1 >= 0)
        }
    }

    @Test func `only what is asked for is logged, and it can be changed while the proxy runs`() async throws {
        try await Self.run(.dualWriteAsync, RequestLogSettings()) { harness, log in
            let client = try await harness.client()
            func write(_ key: String, _ flags: String? = nil) async throws {
                let text = "INSERT INTO one.t (p, v) VALUES ('\(key)', 'x')"
                _ = try await client.ask(query(text), payload: flags.map(Self.payload))
            }
            try await write("nobody asks", "01")
            await harness.proxy.setRequestLog(RequestLogSettings(traced: true))
            try await write("not recorded", "00")
            try await write("no trace")
            try await write("recorded", "01")
            await harness.proxy.setRequestLog(RequestLogSettings(slowerThanMilliseconds: 60_000))
            try await write("fast", "01")
            await harness.proxy.setRequestLog(RequestLogSettings())
            try await write("over", "01")
            #expect(log.lines("request answered").map(\.metadata["trace_id"]) == [Self.trace])
        }
    }

    @Test func `an error is named, and requests that never reach a cluster are logged, too`() async throws {
        try await Self.run(.dualWriteSync, RequestLogSettings(oneIn: 1)) { harness, log in
            let client = try await harness.client()
            _ = try await client.ask(query("SELECT v FROM one.nowhere"))
            _ = try await client.ask(.execute(Execute(id: ByteBuffer(bytes: [1, 2, 3]), parameters: .init())))
            _ = try await client.ask(query("INSERT INTO one.t (p, v) VALUES ('a', 'x')"))
            let lines = log.lines("request answered").map(\.metadata)
            #expect(lines.map { $0["error"] } == ["INVALID", "UNPREPARED", nil])
            #expect(lines.last?["source"] != nil && lines.last?["target"] != nil, "both have answered")
            #expect(Set(lines.map { $0["request"] }).count == 3)
        }
    }
}
