import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Puts on every answer, errors of the HTTP parser included, what keeps a browser from doing more with it than it should.
///
/// A field that an answer has already stays as it is. It never flushes.
final class AnswerHeaders: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Nothing may be loaded by, framed in or sent from a document: right for everything that is no page.
    static let nothingAllowed = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

    static let fields: HTTPFields = [
        .contentSecurityPolicy: nothingAllowed,
        .xContentTypeOptions: "nosniff",
        .cacheControl: "no-store",
        .referrerPolicy: "no-referrer",
        .crossOriginResourcePolicy: "same-origin",
    ]

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = self.unwrapOutboundIn(data), head.status.kind != .informational else {
            context.write(data, promise: promise)
            return
        }
        for field in Self.fields where head.headerFields[field.name] == nil { head.headerFields.append(field) }
        context.write(self.wrapOutboundOut(.head(head)), promise: promise)
    }
}

extension HTTPField.Name {
    // The name is a valid token, so this initializer returns a value.
    static var referrerPolicy: Self { Self("Referrer-Policy") ?? .via }
}
