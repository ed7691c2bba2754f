import CQLProtocol
import NIOCore
import NIOPosix
import Synchronization

/// A client of raw frames over a real socket: it pipelines, and it keeps what nobody asked for.
final class TestClient: Sendable {
    struct Closed: Error {}
    struct NoAnswer: Error {}
    /// STARTUP was answered with something else than READY.
    struct NotReady: Error { let answer: Response }

    /// Every request has an answer by then, or the test fails instead of hanging.
    private static let patience = TimeAmount.seconds(30)

    private struct State {
        var waiting: [Int16: CheckedContinuation<ResponseFrame, any Error>] = [:]
        var nextStream: Int16 = 0
        var isClosed = false
        var unasked: [Response] = []
        var compression: BodyCompression?
        var firstBytes: [UInt8] = []
    }

    private let state = Mutex(State())
    private let channel: any Channel

    private init(channel: any Channel) { self.channel = channel }

    var isClosed: Bool { self.state.withLock { $0.isClosed } }
    /// The first kilobyte that has come, as it came.
    var firstBytes: [UInt8] { self.state.withLock { $0.firstBytes } }
    var unasked: [Response] { self.state.withLock { $0.unasked } }

    /// Connects without a handshake.
    static func connect(to address: SocketAddress, on group: any EventLoopGroup) async throws -> TestClient {
        let made = Mutex<TestClient?>(nil)
        let channel = try await ClientBootstrap(group: group).connect(to: address) { channel in
            channel.eventLoop.makeCompletedFuture {
                let client = TestClient(channel: channel)
                made.withLock { $0 = client }
                try channel.pipeline.syncOperations.addHandler(Handler(client: client))
                return channel
            }
        }
        _ = channel
        guard let client = made.withLock({ $0 }) else { throw Closed() }
        return client
    }

    /// Connects and goes through STARTUP.
    static func start(on address: SocketAddress, group: any EventLoopGroup) async throws -> TestClient {
        let client = try await Self.connect(to: address, on: group)
        let answer = try await client.ask(.startup(["CQL_VERSION": "3.0.0"]))
        guard case .ready = answer else { throw NotReady(answer: answer) }
        return client
    }

    /// Makes keyspaces, each with a table `t`.
    func makeTables(_ columns: String = "p text PRIMARY KEY, v text", in keyspaces: String...) async throws {
        for keyspace in keyspaces {
            let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
            _ = try await self.ask(query("CREATE KEYSPACE \(keyspace) WITH replication = \(replication)"))
            _ = try await self.ask(query("CREATE TABLE \(keyspace).t (\(columns))"))
        }
    }

    /// Connects and gives a name and a password (SASL PLAIN).
    static func login(
        _ name: String,
        _ password: String,
        on address: SocketAddress,
        group: any EventLoopGroup
    ) async throws -> (client: TestClient, answer: Response) {
        let client = try await Self.connect(to: address, on: group)
        let asked = try await client.ask(.startup(["CQL_VERSION": "3.0.0"]))
        guard case .authenticate = asked else { return (client, asked) }
        let answer = try await client.ask(.authResponse(ByteBuffer(string: "\0\(name)\0\(password)")))
        return (client, answer)
    }

    func ask(
        _ request: Request,
        version: ProtocolVersion = .v4,
        payload: WireMap<ByteBuffer?>? = nil
    ) async throws -> Response {
        try await self.exchange(RequestFrame(version: version, customPayload: payload, request: request)).response
    }

    /// Sends a frame on a stream of its own. The compression that a STARTUP names is used from there on.
    func exchange(_ frame: RequestFrame) async throws -> ResponseFrame {
        try await withCheckedThrowingContinuation { continuation in
            let stream: Int16? = self.state.withLock { state in
                guard !state.isClosed else { return nil }
                state.nextStream = (state.nextStream + 1) & 0x7fff
                state.waiting[state.nextStream] = continuation
                return state.nextStream
            }
            let frame = RequestFrame(
                version: frame.version,
                stream: stream ?? 0,
                isTraced: frame.isTraced,
                customPayload: frame.customPayload,
                request: frame.request
            )
            guard stream != nil, let bytes = self.encoded(frame) else {
                continuation.resume(throwing: Closed())
                return
            }
            if case .startup(let options) = frame.request, let name = options["COMPRESSION"] {
                self.state.withLock { $0.compression = BodyCompression(name: name) }
            }
            self.channel.writeAndFlush(bytes, promise: nil)
            self.channel.eventLoop.scheduleTask(in: Self.patience) {
                self.state.withLock { $0.waiting.removeValue(forKey: frame.stream) }?.resume(throwing: NoAnswer())
            }
        }
    }

    private func encoded(_ frame: RequestFrame) -> ByteBuffer? {
        guard let plain = try? frame.encoded(), let compression = self.state.withLock({ $0.compression }) else {
            return try? frame.encoded()
        }
        var reader = FrameReader()
        reader.append(plain)
        var bytes = ByteBuffer()
        try? reader.nextFrame()?.compressed(with: compression).write(into: &bytes)
        return bytes
    }

    func sendRaw(_ bytes: [UInt8]) { self.channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    func close() async { try? await self.channel.close() }

    /// Waits until the other side has closed.
    func closed() async { try? await self.channel.closeFuture.get() }

    fileprivate func arrived(_ bytes: ByteBuffer) {
        self.state.withLock { $0.firstBytes += bytes.readableBytesView.prefix(1_024 - $0.firstBytes.count) }
    }

    fileprivate func received(_ raw: RawFrame) {
        let compression = self.state.withLock { $0.compression }
        let plain = compression.flatMap { try? raw.decompressed(with: $0) } ?? raw
        guard let frame = try? ResponseFrame(decoding: plain) else { return }
        let continuation = self.state.withLock { state in
            let continuation = state.waiting.removeValue(forKey: frame.stream)
            if continuation == nil { state.unasked.append(frame.response) }
            return continuation
        }
        continuation?.resume(returning: frame)
    }

    fileprivate func ended() {
        let waiting = self.state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume(throwing: Closed()) }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let client: TestClient
        private var reader = FrameReader()

        init(client: TestClient) { self.client = client }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = self.unwrapInboundIn(data)
            self.client.arrived(bytes)
            self.reader.append(bytes)
            while let frame = try? self.reader.nextFrame() { self.client.received(frame) }
        }

        func channelInactive(context: ChannelHandlerContext) { self.client.ended() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
