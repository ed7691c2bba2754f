import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import Testing

/// Copies whose outcome nobody knows: repeated where that changes nothing, and only there.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct RepetitionTests {
    /// Each of these, executed twice with one timestamp, makes a list longer or a counter higher.
    private static let once = [
        "INSERT INTO one.t (p, l) VALUES ('k', ?)", "UPDATE one.t SET l = ? WHERE p = 'k'",
        "UPDATE one.t SET l = l + ? WHERE p = 'k'",
    ]
    /// These change nothing when they come again.
    private static let oftener = [
        "INSERT INTO one.t (p, s) VALUES ('k', ?)", "UPDATE one.t SET s = s + ? WHERE p = 'k'",
        "UPDATE one.t SET f = ? WHERE p = 'k'",
    ]

    private static let schema = [
        "CREATE KEYSPACE one WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE one.t (p text PRIMARY KEY, l list<text>, s set<text>, f frozen<list<text>>)",
    ]

    /// A collection of one element, as the protocol writes it.
    private static var element: BoundValue {
        var bytes = ByteBuffer()
        bytes.writeInteger(Int32(1))
        bytes.writeInteger(Int32(1))
        bytes.writeString("e")
        return .value(bytes)
    }

    private static func request(_ text: String, _ client: TestClient, isPrepared: Bool) async throws -> Request {
        let parameters = QueryParameters(consistency: .one, values: .positional([Self.element]))
        guard isPrepared else { return .query(Query(text, parameters: parameters)) }
        guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(text)) else {
            throw TestClient.Closed()
        }
        return .execute(Execute(id: prepared.id, parameters: parameters))
    }

    private static func run(_ text: String, isPrepared: Bool) async throws -> (
        target: Rows?, counters: DualWriterCounters?
    ) {
        var rows: Rows?
        var counters: DualWriterCounters?
        try await SidecarHarness.run(mode: .dualWriteAsync, schema: Self.schema) {
            // Long enough for the honest second attempt.
            $0.timeouts.shadowWriteMilliseconds = 1_000
        } _: { harness in
            let client = try await harness.client()
            let request = try await Self.request(text, client, isPrepared: isPrepared)
            // The target does it and says nothing.
            let lost = FaultRule(.all([.textContains("one.t"), .not(.opcode(.prepare))]), .dropAnswer, times: 1)
            harness.target.setFaults([lost])
            #expect(try await client.ask(request) == .result(.void))
            try await eventually { await harness.proxy.status().legs.last?.shadowWritesQueued == 0 }
            counters = await harness.proxy.status().counters
            if case .result(.rows(let answer)) = try await harness.ask(.target, "SELECT l, s, f FROM one.t") {
                rows = answer
            }
        }
        return (rows, counters)
    }

    @Test(arguments: once, [false, true]) func `what would be there twice is not repeated`(
        text: String,
        isPrepared: Bool
    ) async throws {
        let (rows, counters) = try await Self.run(text, isPrepared: isPrepared)
        #expect(rows?.first?["l"]?.readableBytes == 9, "one element")
        #expect(counters?.target.shadowRetried == 0 && counters?.target.shadowDead == 1 && counters?.doubtful == 1)
    }

    @Test(arguments: oftener, [false, true]) func `what is there once however often it comes is repeated`(
        text: String,
        isPrepared: Bool
    ) async throws {
        let (rows, counters) = try await Self.run(text, isPrepared: isPrepared)
        let cells = rows?.first.map { [$0["s"], $0["f"]] } ?? []
        #expect(cells.compactMap { $0?.readableBytes } == [9], "one element")
        #expect(counters?.target.shadowRetried == 1 && counters?.target.shadowDead == 0 && counters?.doubtful == 0)
    }

    @Test func `a write that nodes sent back at first survives the loss of its connection, too`() async throws {
        try await SidecarHarness.run(mode: .primaryOnly, schema: Self.schema) { harness in
            let client = try await harness.client()
            let later = ErrorMessage(.isBootstrapping, "not yet")
            harness.source.setFaults([
                FaultRule(.textContains("INSERT"), .error(later), times: 2),
                FaultRule(.textContains("INSERT"), .close, times: 1),
            ])
            #expect(try await client.ask(query("INSERT INTO one.t (p) VALUES ('k')")) == .result(.void))
        }
    }

    @Test func `a write whose connection is lost each time is given up`() async throws {
        try await SidecarHarness.run(mode: .primaryOnly, schema: Self.schema) { harness in
            let client = try await harness.client()
            harness.source.setFaults([FaultRule(.textContains("INSERT"), .close)])
            guard case .error(let error) = try await client.ask(query("INSERT INTO one.t (p) VALUES ('k')")) else {
                Issue.record("an answer of nobody")
                return
            }
            #expect(error.code == .writeTimeout)
        }
    }
}
