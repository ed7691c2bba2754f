import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection whose peer is slow on purpose: in its handshake, in sending a request, or in taking an answer.
///
/// It sits behind the HTTP codec, on the connection's loop. A connection that waits between two requests is not its business
/// (``AdminServer/idleTimeout`` is), nor is a stream of events, whose feed closes who does not keep up.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let requestTimeout: TimeAmount
    private let answerTimeout: TimeAmount
    private var exchange = HTTPExchange()
    private var deadline: (turn: HTTPExchange.Turn, task: Scheduled<Void>)?

    /// - Parameters:
    ///   - requestTimeout: how long a new connection may take to its first request, handshakes included, and a request from its
    ///     head to its end.
    ///   - answerTimeout: how long the peer may take for an answer once it has begun.
    init(requestTimeout: TimeAmount, answerTimeout: TimeAmount) {
        self.requestTimeout = requestTimeout
        self.answerTimeout = answerTimeout
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { self.watch(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.rest() }

    func channelActive(context: ChannelHandlerContext) {
        self.watch(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.rest()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head: self.exchange.requestBegan()
        case .body: break
        case .end: self.exchange.requestEnded()
        }
        self.watch(context)
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch self.unwrapOutboundIn(data) {
        case .head(let head) where head.status.kind == .informational: break
        case .head(let head):
            self.exchange.answerBegan(isStream: head.headerFields[.contentType] == EventFeed.contentType)
        case .body: break
        case .end: self.exchange.answerEnded()
        }
        self.watch(context)
        context.write(data, promise: promise)
    }

    /// Sets the clock for whose turn it is now, where that has changed.
    private func watch(_ context: ChannelHandlerContext) {
        let turn = self.exchange.turn
        guard self.deadline?.turn != turn else { return }
        self.rest()
        let timeout: TimeAmount
        switch turn {
        case .opening, .reading: timeout = self.requestTimeout
        case .answering: timeout = self.answerTimeout
        case .ours, .streaming, .idle: return
        }
        let task = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { context.close(promise: nil) }
        self.deadline = (turn, task)
    }

    private func rest() {
        self.deadline?.task.cancel()
        self.deadline = nil
    }
}

/// How far a connection is with its requests and answers. It knows no clock.
struct HTTPExchange: Equatable {
    /// Whose turn it is.
    enum Turn: Equatable {
        /// The peer has yet to send the head of its first request.
        case opening
        /// The peer is sending a request.
        case reading
        /// A whole request is here, and its answer has not begun.
        case ours
        /// The peer has to take the answer.
        case answering
        /// The answer has no end.
        case streaming
        /// Nothing is under way.
        case idle
    }

    private var hasBegun = false
    private var isReading = false
    private var answersOwed = 0
    private var answer: Turn?

    var turn: Turn {
        if let answer { return answer }
        // What a peer sends ahead of an answer that it still waits for may be stopped by us.
        if self.isReading, self.answersOwed <= 1 { return .reading }
        if self.answersOwed > 0 { return .ours }
        return self.hasBegun ? .idle : .opening
    }

    mutating func requestBegan() {
        self.hasBegun = true
        self.isReading = true
        self.answersOwed += 1
    }

    mutating func requestEnded() { self.isReading = false }

    mutating func answerBegan(isStream: Bool) { self.answer = isStream ? .streaming : .answering }

    mutating func answerEnded() {
        self.answer = nil
        // What the parser refuses is answered too, and never counted as a request.
        self.answersOwed = max(0, self.answersOwed - 1)
    }
}
