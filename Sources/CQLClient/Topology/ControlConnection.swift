import CQLProtocol
import Logging
import NIOCore

/// A connection for single typed requests and for the cluster's events. Bound to its loop; the `async` side is
/// ``ClusterMonitor``.
final class ControlConnection: UpstreamDelegate {
    private let eventLoop: any EventLoop
    private let onEvent: (EventMessage) -> Void
    private let onClose: () -> Void
    private var connection: UpstreamConnection?
    private var waiting: [UInt64: EventLoopPromise<Response>] = [:]
    private var lastTicket: UInt64 = 0

    private init(
        eventLoop: any EventLoop,
        onEvent: @escaping (EventMessage) -> Void,
        onClose: @escaping () -> Void
    ) {
        self.eventLoop = eventLoop
        self.onEvent = onEvent
        self.onClose = onClose
    }

    /// Connects and shakes hands. Called on the loop.
    static func open(
        _ node: NodeID,
        configuration: ClusterConfiguration,
        eventLoop: any EventLoop,
        logger: Logger,
        onEvent: @escaping (EventMessage) -> Void,
        onClose: @escaping () -> Void
    ) -> EventLoopFuture<NIOLoopBound<ControlConnection>> {
        let control = ControlConnection(eventLoop: eventLoop, onEvent: onEvent, onClose: onClose)
        let promise = eventLoop.makePromise(of: NIOLoopBound<ControlConnection>.self)
        let bound = NIOLoopBound(control, eventLoop: eventLoop)
        let connection = UpstreamConnection(
            node: node,
            version: .v4,
            credentials: configuration.credentials?.current,
            keyspace: nil,
            configuration: configuration,
            delegate: control,
            logger: logger
        ) { result in
            switch result {
            case .success:
                control.connection?.closed = { _ in control.onClose() }
                promise.succeed(bound)
            case .failure(let error):
                control.connection = nil
                promise.fail(error)
            }
        }
        control.connection = connection
        ConnectionOpener.open(connection, on: eventLoop, configuration: configuration)
        return promise.futureResult
    }

    var authenticator: String? { self.connection?.authenticator }

    /// Asks one thing. Called on the loop.
    func ask(_ request: Request) -> EventLoopFuture<Response> {
        let promise = self.eventLoop.makePromise(of: Response.self)
        guard let connection else {
            promise.fail(UpstreamError(.closed, "the control connection is closed"))
            return promise.futureResult
        }
        do throws(CQLProtocolError) {
            var body = try RequestFrame(request: request).encoded()
            body.moveReaderIndex(forwardBy: FrameHeader.byteCount)
            self.lastTicket += 1
            let outcome = body.withUnsafeReadableBytes {
                connection.send(
                    versionByte: connection.versionByte,
                    flags: 0,
                    opcode: request.opcode.rawValue,
                    $0,
                    ticket: self.lastTicket
                )
            }
            guard case .sent = outcome else {
                promise.fail(UpstreamError(.unreachable, "the control connection takes no request (\(outcome))"))
                return promise.futureResult
            }
            self.waiting[self.lastTicket] = promise
            connection.flush()
        } catch {
            promise.fail(error)
        }
        return promise.futureResult
    }

    /// Asks the node for a sign of life. Called on the loop.
    func askNode(deadline: NIODeadline) -> EventLoopFuture<[NodeID: SignOfLife]> {
        guard let connection else { return self.eventLoop.makeSucceededFuture([:]) }
        let answer = self.eventLoop.makePromise(of: [NodeID: SignOfLife].self)
        connection.ask(deadline: deadline) { answer.succeed([connection.node: $0]) }
        return answer.futureResult
    }

    func close() { self.connection?.close() }

    func upstreamNeedsFlush(_ connection: UpstreamConnection) {
        // Asking flushes by itself; what comes here besides are heartbeats.
        self.eventLoop.assumeIsolated().execute { connection.flush() }
    }

    func upstream(
        _ connection: UpstreamConnection,
        received header: FrameHeader,
        body: UnsafeRawBufferPointer,
        ticket: UInt64
    ) {
        let frame = RawFrame(header: header, body: ByteBuffer(bytes: body))
        let result = Result { try ResponseFrame(decoding: frame).response }
        if ticket == UpstreamConnection.eventTicket {
            if case .success(.event(let event)) = result { self.onEvent(event) }
            return
        }
        self.waiting.removeValue(forKey: ticket)?.completeWith(result)
    }

    func upstream(_ connection: UpstreamConnection, lost ticket: UInt64, wasSent: Bool) {
        self.waiting.removeValue(forKey: ticket)?.fail(
            UpstreamError(.unreachable, "the control connection was lost")
        )
    }

    func upstreamBurstEnded(_ connection: UpstreamConnection) {}
}
