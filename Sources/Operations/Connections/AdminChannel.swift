import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// One connection to the admin port: TLS where it is configured, HTTP/1.1 within the limits of ``AdminServer``, and in between
/// the guard against peers that are slow on purpose.
struct AdminChannel: ServerChildChannel {
    private let http: HTTP1Channel
    private let secure: AdminServer.Configuration.Secure?

    init(responder: @escaping HTTPChannelHandler.Responder, secure: AdminServer.Configuration.Secure?) {
        self.http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                additionalChannelHandlers: [
                    ConnectionGuard(
                        requestTimeout: AdminServer.requestTimeout,
                        answerTimeout: AdminServer.answerTimeout
                    ), AnswerHeaders(),
                ],
                idleTimeout: AdminServer.idleTimeout,
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: AdminServer.headerBytesMax,
                    maxHeaderListSize: AdminServer.headerBytesMax,
                    maxHeaderFieldCount: AdminServer.headersMax
                )
            )
        )
        self.secure = secure
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture { try self.secure?(channel) }.flatMap {
            self.http.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await self.http.handle(value: value, logger: logger)
    }
}
