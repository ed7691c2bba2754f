import CQLProtocol
import NIOCore
import NIOPosix
import Synchronization

/// A CQL server over a real socket that does what a test tells it: it knows the handshake, describes itself in the system
/// tables, prepares any text, records every QUERY and EXECUTE, and can be told to be silent, to refuse, or to forget.
final class ScriptedServer: Sendable {
    /// What happens to a statement that is not one of the server's own.
    enum Reaction: Sendable {
        case succeed
        case refuse(ErrorMessage)
        case stayAway
        case closeConnection
        /// Answers with success, but so many milliseconds later.
        case late(Int)
    }

    /// A statement that arrived.
    struct Seen: Sendable, Equatable {
        var text: String
        var firstValue: String?
        /// All values, named ones as name=value.
        var values: [String] = []
        var timestamp: Int64?
    }

    private struct State {
        var reaction = Reaction.succeed
        var prepared: [[UInt8]: String] = [:]
        var seen: [Seen] = []
        var prepares = 0
        var ignoresPrepares = false
        var peers: [Int] = []
        var keyspaces: [String] = []
        var payloads: [Int] = []
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    private let state = Mutex(State())
    private let name: String
    private let listener: Mutex<(any Channel)?> = Mutex(nil)
    /// Prepared ids differ from server to server, as they may between clusters.
    private let salt: UInt8

    init(name: String, salt: UInt8) {
        self.name = name
        self.salt = salt
    }

    var port: Int { self.listener.withLock { $0?.localAddress?.port ?? 0 } }
    var seen: [Seen] { self.state.withLock { $0.seen } }
    /// The sizes of the custom payloads that came with requests.
    var payloads: [Int] { self.state.withLock { $0.payloads } }
    var prepares: Int { self.state.withLock { $0.prepares } }
    var keyspaces: [String] { self.state.withLock { $0.keyspaces } }

    func react(_ reaction: Reaction) { self.state.withLock { $0.reaction = reaction } }
    func ignorePrepares(_ ignore: Bool) { self.state.withLock { $0.ignoresPrepares = ignore } }
    /// Other nodes of the cluster, by port.
    func setPeers(_ ports: [Int]) { self.state.withLock { $0.peers = ports } }
    func forgetPrepared() { self.state.withLock { $0.prepared = [:] } }

    func start(on group: any EventLoopGroup, port: Int = 0) async throws {
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(server: self))
                }
            }
            .bind(host: "127.0.0.1", port: port)
            .get()
        self.listener.withLock { $0 = channel }
    }

    /// Stops listening and cuts every connection, as a killed node does.
    func kill() async {
        let channels = self.state.withLock { Array($0.channels.values) }
        try? await self.listener.withLock { $0 }?.close()
        for channel in channels { try? await channel.close() }
    }

    fileprivate func opened(_ channel: any Channel) {
        self.state.withLock { $0.channels[ObjectIdentifier(channel)] = channel }
    }

    fileprivate func received(_ payload: WireMap<ByteBuffer?>?) {
        guard let payload else { return }
        self.state.withLock { $0.payloads.append(payload.pairs.count) }
    }

    /// How long a statement's answer is held back.
    fileprivate var lateness: TimeAmount? {
        guard case .late(let milliseconds) = self.state.withLock({ $0.reaction }) else { return nil }
        return .milliseconds(Int64(milliseconds))
    }

    fileprivate func closed(_ channel: any Channel) {
        self.state.withLock { $0.channels[ObjectIdentifier(channel)] = nil }
    }

    /// The answer to a request; nil for silence.
    fileprivate func answer(_ request: Request, close: () -> Void) -> Response? {
        switch request {
        case .startup, .register: return .ready
        case .options: return .supported([:])
        case .authResponse: return .authSuccess(nil)
        case .prepare(let text):
            if self.state.withLock({ $0.ignoresPrepares }) { return nil }
            let id = Array(
                "\(self.salt)\(text)".utf8.reduce(into: [UInt8](repeating: self.salt, count: 16)) { id, byte in
                    id[Int(byte) % 16] = id[Int(byte) % 16] &* 31 &+ byte
                }
            )
            self.state.withLock {
                $0.prepared[id] = text
                $0.prepares += 1
            }
            let markers = text.filter { $0 == "?" }.enumerated().map {
                ColumnSpec(keyspace: "ks", table: "t", name: "c\($0.offset)", type: .varchar)
            }
            return .result(
                .prepared(Prepared(id: ByteBuffer(bytes: id), variables: PreparedMetadata(markers: markers)))
            )
        case .execute(let execute):
            guard let text = self.state.withLock({ $0.prepared[Array(execute.id.readableBytesView)] }) else {
                return .error(ErrorMessage(.unprepared, "unknown id", details: .unprepared(id: execute.id)))
            }
            return self.run(text, execute.parameters, close)
        case .query(let query):
            return self.run(query.text, query.parameters, close)
        case .batch(let batch):
            for child in batch.children {
                guard case .prepared(let id) = child.statement else { continue }
                if self.state.withLock({ $0.prepared[Array(id.readableBytesView)] }) == nil {
                    return .error(ErrorMessage(.unprepared, "unknown id", details: .unprepared(id: id)))
                }
            }
            return self.run("BATCH", QueryParameters(consistency: batch.consistency), close)
        }
    }

    private func run(_ text: String, _ parameters: QueryParameters, _ close: () -> Void) -> Response? {
        if text.contains("system.local") { return self.local() }
        if text.contains("system_schema") { return .error(ErrorMessage(.invalid, "unconfigured table columns")) }
        if text.contains("system.peers_v2") { return self.peersV2() }
        if text.contains("system.peers") { return Self.rows([("peer", .native(0x10))], []) }
        if text.hasPrefix("USE ") {
            let keyspace = text.dropFirst(4).filter { $0 != "\"" }
            self.state.withLock { $0.keyspaces.append(String(keyspace)) }
            return keyspace == "missing"
                ? .error(ErrorMessage(.invalid, "Keyspace 'missing' does not exist"))
                : .result(.setKeyspace(String(keyspace)))
        }
        var all: [String] = []
        switch parameters.values {
        case .none: break
        case .positional(let values): all = values.map(Self.text)
        case .named(let values): all = values.map { "\($0.name)=\(Self.text($0.value))" }
        }
        var first: String?
        if case .positional(let values) = parameters.values, case .value(let bytes)? = values.first {
            first = String(buffer: bytes)
        }
        let reaction = self.state.withLock { state in
            state.seen.append(Seen(text: text, firstValue: first, values: all, timestamp: parameters.defaultTimestamp))
            return state.reaction
        }
        switch reaction {
        case .succeed, .late: break
        case .refuse(let error): return .error(error)
        case .stayAway: return nil
        case .closeConnection:
            close()
            return nil
        }
        if text.hasPrefix("SELECT") { return Self.rows([("name", .varchar)], [[ByteBuffer(string: self.name)]]) }
        if text.contains(" IF ") {
            return Self.rows([("[applied]", .native(0x04))], [[ByteBuffer(bytes: [first == "taken" ? 0 : 1])]])
        }
        return .result(.void)
    }

    private static func text(_ value: BoundValue) -> String {
        switch value {
        case .value(let bytes): String(buffer: bytes)
        case .null: "null"
        case .unset: "unset"
        }
    }

    private func peersV2() -> Response {
        let ports = self.state.withLock { $0.peers }
        guard !ports.isEmpty else { return .error(ErrorMessage(.invalid, "unconfigured table peers_v2")) }
        return Self.rows(
            [("native_address", .native(0x10)), ("native_port", .int), ("data_center", .varchar)],
            ports.map { port in
                [ByteBuffer(bytes: [127, 0, 0, 1]), ByteBuffer(integer: Int32(port)), ByteBuffer(string: "dc1")]
            }
        )
    }

    private func local() -> Response {
        Self.rows(
            [
                ("key", .varchar), ("cluster_name", .varchar), ("data_center", .varchar), ("rack", .varchar),
                ("release_version", .varchar), ("rpc_address", .native(0x10)), ("host_id", .native(0x0c)),
            ],
            [
                [
                    ByteBuffer(string: "local"), ByteBuffer(string: self.name), ByteBuffer(string: "dc1"),
                    ByteBuffer(string: "rack1"), ByteBuffer(string: "4.1.6"), ByteBuffer(bytes: [10, 9, 8, 7]),
                    ByteBuffer(bytes: [UInt8](repeating: self.salt, count: 16)),
                ]
            ]
        )
    }

    private static func rows(_ columns: [(String, DataType)], _ cells: [[ByteBuffer?]]) -> Response {
        let specs = columns.map { ColumnSpec(keyspace: "system", table: "local", name: $0.0, type: $0.1) }
        guard let rows = try? Rows(metadata: ResultMetadata(columns: specs), rows: cells) else {
            return .error(ErrorMessage(.serverError, "the test's rows do not encode"))
        }
        return .result(.rows(rows))
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let server: ScriptedServer
        private var reader = FrameReader()

        init(server: ScriptedServer) { self.server = server }

        func channelActive(context: ChannelHandlerContext) { self.server.opened(context.channel) }
        func channelInactive(context: ChannelHandlerContext) { self.server.closed(context.channel) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.reader.append(self.unwrapInboundIn(data))
            do {
                while let raw = try self.reader.nextFrame() {
                    let frame = try RequestFrame(decoding: raw)
                    self.server.received(frame.customPayload)
                    guard
                        let response = self.server.answer(frame.request, close: { context.close(promise: nil) })
                    else { continue }
                    let answer = ResponseFrame(version: frame.version, stream: frame.stream, response: response)
                    let bytes = try answer.encoded()
                    if case .result(.void) = response, let lateness = self.server.lateness {
                        let channel = context.channel
                        context.eventLoop.scheduleTask(in: lateness) { channel.writeAndFlush(bytes, promise: nil) }
                    } else {
                        context.writeAndFlush(self.wrapOutboundOut(bytes), promise: nil)
                    }
                }
            } catch {
                context.close(promise: nil)
            }
        }
    }
}
