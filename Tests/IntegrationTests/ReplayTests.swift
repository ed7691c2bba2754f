import CQLProtocol
import EmbeddedNode
import NIOCore
import NIOPosix
import Testing

/// Plays recorded clients against an embedded node and compares its answers with those of the real Cassandra 4.1.
@Suite struct ReplayTests {
    static let folder = Fixtures.wire("cassandra-4.1")

    /// In the order in which they were recorded, because each finds what the ones before it have left.
    private static let scenarios = ["types", "paging", "batch", "lwt", "counters", "writes", "errors", "v3"]

    @Test(.enabled(if: folder != nil, "the recorded conversations are not here"))
    func `the node answers as Cassandra did`() async throws {
        let folder = try #require(Self.folder)
        let group = MultiThreadedEventLoopGroup.singleton
        let node = try await EmbeddedNode.start(on: group)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: node.port)
        var compared = 0
        for scenario in Self.scenarios {
            let recorded = try Conversation(folder: "\(folder)/\(scenario)")
            for connection in recorded.connections {
                let client = try await TestClient.connect(to: address, on: group)
                for exchange in connection where !Self.isAboutTheNode(exchange.request) {
                    let answer = try await client.ask(exchange.request, version: exchange.version)
                    compared += 1
                    if let difference = Self.difference(answer, exchange.response) {
                        Issue.record("\(scenario): \(Self.text(exchange.request)): \(difference)")
                    }
                }
                await client.close()
            }
        }
        #expect(compared > 150, "only \(compared) answers were compared")
        await node.stop()
    }

    /// What differs between any two nodes, and pages that begin where only the recorded server knows.
    private static func isAboutTheNode(_ request: Request) -> Bool {
        switch request {
        case .options: true
        case .query(let query): query.text.contains("system") || query.parameters.pagingState != nil
        case .execute(let execute): execute.parameters.pagingState != nil
        default: false
        }
    }

    private static func text(_ request: Request) -> String {
        switch request {
        case .query(let query): query.text
        case .prepare(let text): "PREPARE \(text)"
        default: "\(request.opcode)"
        }
    }

    private static func difference(_ answer: Response, _ recorded: Response) -> String? {
        switch (answer, recorded) {
        case (.error(let one), .error(let other)):
            return one.code == other.code
                ? nil : "error \(one.code) '\(one.message)' instead of \(other.code) '\(other.message)'"
        case (.result(.rows(let one)), .result(.rows(let other))):
            if one.metadata.columns != other.metadata.columns {
                return "columns \(one.metadata.columns.map(\.name)) instead of \(other.metadata.columns.map(\.name))"
            }
            if (one.metadata.pagingState == nil) != (other.metadata.pagingState == nil) {
                return "another number of pages"
            }
            return one.rows.map(\.cells) == other.rows.map(\.cells)
                ? nil : "rows \(one.rows.map(\.cells)) instead of \(other.rows.map(\.cells))"
        case (.result(.prepared(let one)), .result(.prepared(let other))):
            if one.variables != other.variables { return "markers \(one.variables) instead of \(other.variables)" }
            if one.result.columns != other.result.columns { return "columns \(one.result) instead of \(other.result)" }
            return one.id == other.id ? nil : "another id"
        case (.result(.schemaChange), .result(.void)), (.result(.void), .result(.schemaChange)):
            // IF NOT EXISTS finds what earlier recordings had made.
            return nil
        case (.result(let one), .result(let other)):
            return one == other ? nil : "\(one) instead of \(other)"
        default: return answer.opcode == recorded.opcode ? nil : "\(answer) instead of \(recorded)"
        }
    }
}

/// Requests with their answers, per connection, as the index of a recording tells.
private struct Conversation {
    struct Exchange {
        let version: ProtocolVersion
        let request: Request
        let response: Response
    }

    var connections: [[Exchange]] = []

    init(folder: String) throws {
        var names: Set<String> = []
        for line in try Fixtures.text("\(folder)/index.tsv").split(separator: "\n").dropFirst() {
            if let file = line.split(separator: "\t").first { names.insert(String(file.prefix(2))) }
        }
        for name in names.sorted() {
            var answers: [Int16: [Response]] = [:]
            for raw in try Self.frames("\(folder)/\(name)-s2c.bin") where raw.header.stream >= 0 {
                answers[raw.header.stream, default: []].append(try ResponseFrame(decoding: raw).response)
            }
            var exchanges: [Exchange] = []
            for raw in try Self.frames("\(folder)/\(name)-c2s.bin") {
                guard let response = answers[raw.header.stream]?.first else { continue }
                answers[raw.header.stream]?.removeFirst()
                let request = try RequestFrame(decoding: raw).request
                exchanges.append(Exchange(version: raw.header.version, request: request, response: response))
            }
            self.connections.append(exchanges)
        }
    }

    private static func frames(_ path: String) throws -> [RawFrame] {
        var reader = FrameReader()
        reader.append(ByteBuffer(bytes: try Fixtures.bytes(path)))
        var frames: [RawFrame] = []
        while let frame = try reader.nextFrame() { frames.append(frame) }
        return frames
    }
}
