public import CQLClient
public import DualWriteCore
public import NIOCore

/// What a proxy needs to run. Validated by whoever makes it.
public struct DualWriterConfiguration: Sendable {
    /// Where applications connect.
    public var listenAddress: SocketAddress
    /// TLS toward clients; nil: plain connections.
    public var tls: TLSEndpoint?
    /// What clients are told to be the proxy's address; nil: the address on which they have connected.
    public var advertisedAddress: SocketAddress?
    /// All sidecars that applications may use, this one's ``advertisedAddress`` among them; each is presented as a host of the
    /// cluster. Empty: this one is the only host.
    public var sidecars: [SocketAddress] = []
    /// The cluster that data moves away from; without contact points only in `TargetOnly`.
    public var source: ClusterConfiguration
    /// The cluster that data moves to; without contact points only in `PrimaryOnly`.
    public var target: ClusterConfiguration
    /// Clusters on which all requests run under the cluster's configured credentials, whoever the client is; on others under
    /// the client's own, where it gives some.
    public var actingAsConfigured: Set<Cluster> = []
    /// The stage to begin with.
    public var stage: ModeStage
    /// The write mode to begin with.
    public var mode: WriteMode {
        get { self.stage.mode }
        set { self.stage = ModeStage(newValue) }
    }
    /// Tables that have modes of their own.
    public var overrides = ModeOverrides.none
    /// The mode's epoch, which counts changes of the overrides as well.
    public var epoch: Int
    /// What happens to statements that change more than rows.
    public var policy = StatementPolicy()
    /// What a shadow gets copies of; other writes go to the primary alone.
    public var filter = ShadowFilter.all
    /// Which reads are compared between the clusters.
    public var comparison = ComparisonSettings()
    /// Which requests are logged one by one.
    public var requestLog = RequestLogSettings()
    /// How long to wait for what.
    public var timeouts = DualWriterTimeouts()
    /// The bounds of everything.
    public var limits = DualWriterLimits()
    /// Prepared statements that are known from the beginning, the one that was used last first.
    public var preparedTexts: [PreparedText] = []
    /// Event loops; each has its own connections to both clusters. A sidecar shares its cores with its application.
    public var loops = 1

    /// A configuration with the defaults of everything that is not named here.
    public init(
        listenAddress: SocketAddress,
        source: ClusterConfiguration,
        target: ClusterConfiguration,
        mode: WriteMode,
        epoch: Int = 0
    ) {
        self.listenAddress = listenAddress
        self.source = source
        self.target = target
        self.stage = ModeStage(mode)
        self.epoch = epoch
    }
}
