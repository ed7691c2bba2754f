import CQLProtocol
import Logging
import NIOCore

/// Signs of life: a connection on which nothing has come for a while asks for OPTIONS, and one that does not answer is closed.
extension UpstreamConnection {
    func scheduleHeartbeat(_ context: ChannelHandlerContext) {
        let pause = min(
            self.configuration.heartbeatIntervalMilliseconds,
            self.configuration.heartbeatTimeoutMilliseconds
        )
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(max(50, pause)))) { self.heartbeat() }
    }

    private func heartbeat() {
        guard !self.isClosed, let context = self.context else { return }
        let now = NIODeadline.now()
        if let since = self.heartbeatSince {
            if now - since >= .milliseconds(Int64(self.configuration.heartbeatTimeoutMilliseconds)) {
                self.logger.warning(
                    "closing a connection that gives no sign of life",
                    metadata: ["node": "\(self.node)"]
                )
                self.end(UpstreamError(.timeout, "node \(self.node) gives no sign of life"), context)
                return
            }
        } else if now - self.lastInbound >= .milliseconds(Int64(self.configuration.heartbeatIntervalMilliseconds)) {
            let empty = UnsafeRawBufferPointer(start: nil, count: 0)
            let outcome = self.send(
                versionByte: self.versionByte,
                flags: 0,
                opcode: Opcode.options.rawValue,
                empty,
                ticket: Self.heartbeatTicket
            )
            if case .sent = outcome { self.heartbeatSince = now }
        }
        self.scheduleHeartbeat(context)
    }
}
