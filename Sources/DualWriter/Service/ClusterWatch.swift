import CQLClient
import Logging
import NIOCore

/// A cluster's monitor at work: it can be asked whether the cluster answers at all before anybody follows it.
final class ClusterWatch: Sendable {
    let monitor: ClusterMonitor
    private let contactPointCount: Int
    private let patience: Duration
    private let notices: AsyncStream<ClusterMonitor.Notice>
    private let running: Task<Void, Never>

    /// Begins to watch.
    init(_ configuration: ClusterConfiguration, on eventLoop: any EventLoop, logger: Logger) {
        let (notices, feed) = AsyncStream.makeStream(of: ClusterMonitor.Notice.self)
        let monitor = ClusterMonitor(configuration: configuration, eventLoop: eventLoop, logger: logger) {
            feed.yield($0)
        }
        self.monitor = monitor
        self.contactPointCount = configuration.contactPoints.count
        self.patience = .milliseconds(
            configuration.connectTimeoutMilliseconds + configuration.handshakeTimeoutMilliseconds
        )
        self.notices = notices
        self.running = Task {
            await monitor.run()
            feed.finish()
        }
    }

    /// Waits until a contact point has described the cluster. Before ``follow(_:)``, which is not told of this again.
    ///
    /// - Throws: the last contact point's error when all have failed, or when a connection's time is over.
    func firstLook() async throws(UpstreamError) -> ClusterTopology {
        let look = Task { () -> Result<ClusterTopology, UpstreamError> in
            var failures = 0
            for await notice in self.notices {
                switch notice {
                case .topology(let topology): return .success(topology)
                case .lost(let error):
                    failures += 1
                    if failures == self.contactPointCount { return .failure(error) }
                case .schemaChange: break
                }
            }
            let error = self.monitor.status.lastError
            return .failure(error ?? UpstreamError(.timeout, "no contact point has answered in \(self.patience)"))
        }
        let alarm = Task {
            try await Task.sleep(for: self.patience)
            look.cancel()
        }
        defer { alarm.cancel() }
        return try await look.value.get()
    }

    /// Tells everything from now on, in order.
    func follow(_ tell: @escaping @Sendable (ClusterMonitor.Notice) -> Void) {
        let notices = self.notices
        Task { for await notice in notices { tell(notice) } }
    }

    /// Ends the watch; nothing is told after this.
    func stop() async {
        self.running.cancel()
        await self.running.value
    }
}
