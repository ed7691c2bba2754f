import NIOCore
import NIOPosix
import Synchronization

/// Forwards connections to a port, and counts what goes over the wire both ways.
final class CountingForwarder: Sendable {
    private final class Pipe: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let other: NIOLoopBound<any Channel>
        private let forwarder: CountingForwarder

        init(to other: any Channel, _ forwarder: CountingForwarder) {
            self.other = NIOLoopBound(other, eventLoop: other.eventLoop)
            self.forwarder = forwarder
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = self.unwrapInboundIn(data)
            self.forwarder.count.withLock { $0 += bytes.readableBytes }
            self.other.value.writeAndFlush(bytes, promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { self.other.value.close(promise: nil) }
    }

    private let count = Mutex(0)
    private let listener: Mutex<(any Channel)?> = Mutex(nil)

    /// Bytes so far.
    var bytes: Int { self.count.withLock { $0 } }
    /// Where it listens.
    var port: Int { self.listener.withLock { $0?.localAddress?.port ?? 0 } }

    /// Starts one on a free port; a pair of connections has one event loop.
    static func start(to port: Int) async throws -> CountingForwarder {
        let forwarder = CountingForwarder()
        let group = MultiThreadedEventLoopGroup.singleton
        let channel = try await ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                ClientBootstrap(group: client.eventLoop)
                    .channelInitializer { server in
                        server.eventLoop.makeCompletedFuture {
                            try server.pipeline.syncOperations.addHandler(Pipe(to: client, forwarder))
                        }
                    }
                    .connect(host: "127.0.0.1", port: port)
                    .flatMap { server in
                        client.eventLoop.makeCompletedFuture {
                            try client.pipeline.syncOperations.addHandler(Pipe(to: server, forwarder))
                        }.flatMap { client.setOption(.autoRead, value: true) }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        forwarder.listener.withLock { $0 = channel }
        return forwarder
    }

    /// Closes it; connections close with their clients.
    func stop() async {
        try? await self.listener.withLock { $0 }?.close()
    }
}
