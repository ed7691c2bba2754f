import AsyncHTTPClient
import DualReader
import NIOCore
import ServiceLifecycle

/// The HTTP client that asks the peer, and its token: open as long as the service runs.
struct PeerConnection: Service {
    let peering: DigestPeering
    private let http: HTTPClient

    /// A connection to a peer; nothing is sent before somebody asks.
    ///
    /// - Throws: ``FileFault`` where one of the files cannot be read.
    init(_ peer: ReaderConfiguration.Peer, secrets: SecretReloader) async throws {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        // Redirections would carry the token elsewhere.
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        if peer.tls != TLSFiles() { configuration.tlsConfiguration = try peer.tls.clientConfiguration() }
        self.http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let token = CurrentSecret(peer.token)
        if let secret = peer.token {
            await secrets.follow("peer", "token", secret) { token.replace($0) }
        }
        let client = PeerClient(
            self.http,
            base: peer.url,
            token: { token.text },
            timeout: .milliseconds(Int64(peer.timeoutMilliseconds))
        )
        var peering = DigestPeering(client, near: peer.cluster)
        peering.isRequired = peer.isRequired
        peering.patience = .milliseconds(peer.timeoutMilliseconds)
        self.peering = peering
    }

    func run() async throws {
        try? await gracefulShutdown()
        try? await self.http.shutdown()
    }
}
