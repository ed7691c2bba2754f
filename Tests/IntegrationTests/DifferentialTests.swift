import CQLProtocol
import DualWriteCore
import EmbeddedNode
import NIOCore
import NIOPosix
import Testing

/// The same session with a node directly and through the sidecar: every answer is the same frame.
///
/// What the design lets differ: prepared ids and the first byte of paging states are the sidecar's own; UNPREPARED after a change of
/// a table is answered by the sidecar, where a driver would prepare anew; of a tracing id only that it is there can be compared.
/// Everything else is equal: flags, warnings, metadata, rows, errors with their words.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct DifferentialTests {
    private static let script = DifferentialScript()

    /// Plays the script and returns the answers.
    private static func play(on address: SocketAddress, isSidecar: Bool) async throws -> [(
        step: String, answer: ResponseFrame
    )] {
        let client = try await TestClient.start(on: address, group: MultiThreadedEventLoopGroup.singleton)
        var answers: [(step: String, answer: ResponseFrame)] = []
        var ids: [String: ByteBuffer] = [:]
        var timestamp: Int64 = 1_700_000_000_000_000
        var last: Query?
        func ask(_ frame: RequestFrame, _ step: String) async throws -> ResponseFrame {
            let answer = try await client.exchange(frame)
            answers.append((step, Self.comparable(answer, isSidecar: isSidecar)))
            return answer
        }
        func parameters(_ values: [BoundValue]) -> QueryParameters {
            timestamp += 1
            return QueryParameters(
                consistency: .localQuorum,
                values: values.isEmpty ? .none : .positional(values),
                defaultTimestamp: timestamp
            )
        }
        for step in Self.script.steps {
            switch step {
            case .query(let text, let values, let pageSize, let isTraced):
                var query = Query(text, parameters: parameters(values))
                query.parameters.pageSize = pageSize
                let answer = try await ask(RequestFrame(isTraced: isTraced, request: .query(query)), text)
                if case .result(.rows(let rows)) = answer.response {
                    query.parameters.pagingState = rows.metadata.pagingState
                    last = query
                }
            case .otherPages:
                while let query = last, query.parameters.pagingState != nil {
                    last = nil
                    let answer = try await ask(RequestFrame(request: .query(query)), "next page of \(query.text)")
                    guard case .result(.rows(let rows)) = answer.response, let state = rows.metadata.pagingState else {
                        break
                    }
                    last = query
                    last?.parameters.pagingState = state
                }
            case .prepare(let text):
                let answer = try await ask(RequestFrame(request: .prepare(text)), "PREPARE \(text)")
                if case .result(.prepared(let prepared)) = answer.response { ids[text] = prepared.id }
            case .execute(let text, let values, let skipMetadata):
                var parameters = parameters(values)
                parameters.skipMetadata = skipMetadata
                var id = try #require(ids[text])
                if !isSidecar, let prepared = try await Self.prepareAnew(text, forgotten: id, client) {
                    guard case .result(.prepared(let known)) = prepared.response else {
                        answers.append(("EXECUTE \(text)", Self.comparable(prepared, isSidecar: false)))
                        continue
                    }
                    id = known.id
                }
                let execute = Execute(id: id, parameters: parameters)
                _ = try await ask(RequestFrame(request: .execute(execute)), "EXECUTE \(text)")
            case .batch(let kind, let children):
                timestamp += 1
                let batch = Batch(
                    kind: kind,
                    children: children.map { text, values in
                        ids[text].map { Batch.Child(.prepared(id: $0), values: values) }
                            ?? Batch.Child(.text(text), values: values)
                    },
                    defaultTimestamp: kind == .counter ? nil : timestamp
                )
                _ = try await ask(RequestFrame(request: .batch(batch)), "BATCH \(children.map(\.0))")
            case .frame(let frame):
                _ = try await ask(frame, "\(frame.request.opcode)")
            }
        }
        await client.close()
        return answers
    }

    /// What a driver does where a node has forgotten a statement after a change of its table; nil where it has not. The sidecar
    /// does it by itself.
    private static func prepareAnew(
        _ text: String,
        forgotten id: ByteBuffer,
        _ client: TestClient
    ) async throws -> ResponseFrame? {
        // A batch of one that binds nothing tells whether the id is known and changes nothing.
        let probe = Batch(children: [Batch.Child(.prepared(id: id))])
        guard case .error(let error) = try await client.ask(.batch(probe)), case .unprepared = error.details else {
            return nil
        }
        return try await client.exchange(RequestFrame(request: .prepare(text)))
    }

    private static func comparable(_ frame: ResponseFrame, isSidecar: Bool) -> ResponseFrame {
        var frame = frame
        frame.stream = 0
        if frame.extras.tracingID != nil { frame.extras.tracingID = CQLUUID(high: 0, low: 0) }
        switch frame.response {
        case .result(.prepared(var prepared)):
            prepared.id = ByteBuffer()
            frame.response = .result(.prepared(prepared))
        case .result(.rows(let rows)):
            guard isSidecar, var state = rows.metadata.pagingState else { break }
            state.moveReaderIndex(forwardBy: 1)
            var metadata = rows.metadata
            metadata.pagingState = state.slice()
            if let changed = try? Rows(metadata: metadata, rows: rows.rows.map(\.cells)) {
                frame.response = .result(.rows(changed))
            }
        default: break
        }
        return frame
    }

    private static func compare(
        _ direct: [(step: String, answer: ResponseFrame)],
        _ through: [(step: String, answer: ResponseFrame)]
    ) {
        #expect(direct.count >= 500 && direct.count == through.count)
        #expect(Set(direct.map { $0.answer.response.opcode }) == [.result, .error, .ready])
        for (one, other) in zip(direct, through) where one.answer != other.answer {
            Issue.record("\(one.step): \(other.answer) instead of \(one.answer)")
        }
    }

    @Test(arguments: WriteMode.allCases) func `a driver cannot tell the sidecar from a node`(mode: WriteMode)
        async throws
    {
        let node = try await EmbeddedNode.start(on: MultiThreadedEventLoopGroup.singleton)
        let direct = try await Self.play(
            on: try SocketAddress(ipAddress: "127.0.0.1", port: node.port),
            isSidecar: false
        )
        await node.stop()
        try await SidecarHarness.run(mode: mode) { harness in
            Self.compare(direct, try await Self.play(on: try harness.address, isSidecar: true))
        }
    }

    @Test(
        .enabled(
            if: RealClusters.both != nil,
            "CLUSTER_SYNC_TEST_SOURCE and CLUSTER_SYNC_TEST_TARGET name no clusters"
        ),
        arguments: WriteMode.allCases
    )
    func `nor from a real cluster`(mode: WriteMode) async throws {
        let clusters = try #require(RealClusters.both)
        let direct = try await Self.play(on: clusters[mode.primary].address, isSidecar: false)
        try await SidecarHarness.run(between: clusters, mode: mode) { address in
            Self.compare(direct, try await Self.play(on: address, isSidecar: true))
        }
    }
}
