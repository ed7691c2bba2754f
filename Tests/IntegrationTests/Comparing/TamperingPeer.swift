import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Stands before a reader that answers with digests, and answers something else where a test wants that.
final class TamperingPeer: Sendable {
    /// What is sent instead of an answer.
    enum Reply: Sendable {
        case body(HTTPResponseStatus, String)
        /// Nothing, ever.
        case silence
        /// The connection ends.
        case close
    }

    /// An exchange with the reader behind.
    struct Exchange: Sendable {
        /// How many were made before it.
        let number: Int
        let isQuestion: Bool
        let status: HTTPResponseStatus
        let answer: String
    }

    typealias Tamper = @Sendable (Exchange) -> Reply?

    private let base: String
    private let tamper: Tamper
    private let client: HTTPClient
    private let count = Atomic(0)
    private let channel = Mutex<(any Channel)?>(nil)

    /// - Parameters:
    ///   - base: the reader behind, `http://127.0.0.1:1234`.
    ///   - tamper: what is answered; nil for the true answer.
    init(before base: String, _ tamper: @escaping Tamper) async throws {
        self.base = base
        self.tamper = tamper
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.channel.withLock { $0 = channel }
    }

    var url: String { "http://127.0.0.1:\(self.channel.withLock { $0?.localAddress?.port } ?? 0)" }

    func stop() async {
        try? await self.channel.withLock { $0 }?.close()
        try? await self.client.shutdown()
    }

    private func reply(_ head: HTTPRequestHead, _ body: ByteBuffer) async -> Reply {
        var request = HTTPClientRequest(url: self.base + head.uri)
        request.method = head.method
        for name in ["Authorization", "Content-Type"] {
            if let value = head.headers.first(name: name) { request.headers.add(name: name, value: value) }
        }
        if body.readableBytes > 0 { request.body = .bytes(body) }
        let number = self.count.add(1, ordering: .relaxed).oldValue
        do {
            let response = try await self.client.execute(request, timeout: .seconds(30))
            let answer = String(buffer: try await response.body.collect(upTo: 4 << 20))
            let exchange = Exchange(
                number: number,
                isQuestion: head.method == .POST,
                status: response.status,
                answer: answer
            )
            return self.tamper(exchange) ?? .body(response.status, answer)
        } catch {
            return .close
        }
    }

    private func answer(_ head: HTTPRequestHead, _ body: ByteBuffer, on channel: any Channel) {
        Task { Self.send(await self.reply(head, body), on: channel) }
    }

    private static func send(_ reply: Reply, on channel: any Channel) {
        switch reply {
        case .silence: break
        case .close: channel.close(promise: nil)
        case .body(let status, let text):
            let headers: HTTPHeaders = ["Content-Type": "application/json", "Content-Length": "\(text.utf8.count)"]
            channel.write(
                HTTPServerResponsePart.head(.init(version: .http1_1, status: status, headers: headers)),
                promise: nil
            )
            channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))), promise: nil)
            channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let peer: TamperingPeer
        private var head: HTTPRequestHead?
        private var body = ByteBuffer()

        init(_ peer: TamperingPeer) { self.peer = peer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch self.unwrapInboundIn(data) {
            case .head(let head): (self.head, self.body) = (head, ByteBuffer())
            case .body(let part): self.body.writeImmutableBuffer(part)
            case .end:
                guard let head = self.head else { return }
                self.peer.answer(head, self.body, on: context.channel)
            }
        }
    }
}
