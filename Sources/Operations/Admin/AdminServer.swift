import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
public import NIOCore
public import ServiceLifecycle

/// The admin port: one HTTP server on its own address, run as a service.
///
/// Reading is open to whoever reaches the address. Changing needs the bearer token, or, where none is configured, a peer
/// on the loopback interface.
public struct AdminServer: Service {
    /// Where and for whom.
    public struct Configuration: Sendable {
        /// The address to listen on.
        public var host: String
        /// The port to listen on; 0 takes a free one.
        public var port: Int
        /// What `Authorization: Bearer` must carry to change something.
        /// Asked at each change; nil: only peers on the loopback interface may change something.
        public var token: @Sendable () -> String?
        /// Puts TLS in front of everything that is added to a connection later, on the connection's loop; nil: plain HTTP.
        public var secure: Secure?

        /// What encrypts a connection.
        public typealias Secure = @Sendable (any Channel) throws -> Void

        /// Creates a configuration.
        public init(
            host: String,
            port: Int,
            token: @escaping @Sendable () -> String? = { nil },
            secure: Secure? = nil
        ) {
            self.host = host
            self.port = port
            self.token = token
            self.secure = secure
        }
    }

    /// The longest body that is read, in bytes; a longer one is answered 413.
    public static var bodyBytesMax: Int { 64 << 10 }

    /// Connections at a time; others wait in the listen queue.
    public static var connectionsMax: Int { 256 }

    /// A connection that is silent between two requests for this long is closed.
    public static var idleTimeout: TimeAmount { .seconds(60) }

    /// How long a new connection may take to its first request, the TLS handshake included, and a request from its head to its
    /// end; then it is closed.
    public static var requestTimeout: TimeAmount { .seconds(10) }

    /// How long a peer may take to read an answer that has begun; then its connection is closed.
    public static var answerTimeout: TimeAmount { .seconds(30) }

    /// The headers of a request, each and all together, in bytes; longer ones are answered 400.
    public static var headerBytesMax: Int { 16 << 10 }

    /// How many headers a request may have; more are answered 400.
    public static var headersMax: Int { 64 }

    private let configuration: Configuration
    private let eventLoopGroup: any EventLoopGroup
    private let paths: any AdminPaths
    private let events: EventFeed?
    private let onListening: @Sendable (SocketAddress) async -> Void
    private let logger: Logger

    /// Creates the admin port of a dual writer.
    /// - Parameters:
    ///   - live: what the live page shows; nil: it shows what can be asked for.
    ///   - onListening: called with the bound address once connections are accepted.
    public init(
        configuration: Configuration,
        control: any AdminControl,
        health: any HealthSource,
        live: (any LiveSource)? = nil,
        metrics: MetricsRegistry,
        eventLoopGroup: any EventLoopGroup,
        logger: Logger,
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
        self.events = live.map { EventFeed(source: $0) }
        self.paths = AdminRoutes(
            control: control,
            health: health,
            metrics: metrics,
            access: AdminAccess(token: configuration.token),
            events: self.events
        )
        self.logger = logger
        self.onListening = onListening
    }

    /// Creates the admin port of a loader.
    /// - Parameters:
    ///   - log: what is logged; nil where nobody may ask.
    ///   - onListening: called with the bound address once connections are accepted.
    public init(
        configuration: Configuration,
        loader: any LoaderControl,
        log: (any LogControl)? = nil,
        metrics: MetricsRegistry,
        eventLoopGroup: any EventLoopGroup,
        logger: Logger,
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
        self.events = nil
        self.paths = LoaderRoutes(
            control: loader,
            metrics: metrics,
            access: AdminAccess(token: configuration.token),
            log: log
        )
        self.logger = logger
        self.onListening = onListening
    }

    /// Creates the admin port of a reader.
    /// - Parameters:
    ///   - log: what is logged; nil where nobody may ask.
    ///   - onListening: called with the bound address once connections are accepted.
    public init(
        configuration: Configuration,
        reader: any ReaderControl,
        log: (any LogControl)? = nil,
        metrics: MetricsRegistry,
        eventLoopGroup: any EventLoopGroup,
        logger: Logger,
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
        self.events = nil
        self.paths = ReaderRoutes(
            control: reader,
            metrics: metrics,
            access: AdminAccess(token: configuration.token),
            log: log
        )
        self.logger = logger
        self.onListening = onListening
    }

    /// Creates the admin port of a reader that answers another one with digests.
    /// - Parameter onListening: called with the bound address once connections are accepted.
    public init(
        configuration: Configuration,
        digests: any DigestSource,
        readiness: @escaping @Sendable () async -> Readiness,
        metrics: MetricsRegistry,
        eventLoopGroup: any EventLoopGroup,
        logger: Logger,
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
        self.events = nil
        self.paths = DigestPortRoutes(
            digests: DigestRoutes(source: digests, access: AdminAccess(token: configuration.token)),
            readiness: readiness,
            metrics: metrics
        )
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until a graceful shutdown; requests under way finish.
    public func run() async throws {
        try await self.application().run()
    }

    func application() -> some ApplicationProtocol {
        let secure = self.configuration.secure
        return Application(
            router: self.paths.router(),
            server: HTTPServerBuilder { AdminChannel(responder: $0, secure: secure) },
            configuration: .init(
                address: .hostname(self.configuration.host, port: self.configuration.port),
                serverName: "cluster-sync",
                availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionsMax)
            ),
            services: self.events.map { [$0] } ?? [],
            onServerRunning: { channel in
                if let address = channel.localAddress { await self.onListening(address) }
            },
            eventLoopGroupProvider: .shared(self.eventLoopGroup),
            logger: self.logger
        )
    }
}
