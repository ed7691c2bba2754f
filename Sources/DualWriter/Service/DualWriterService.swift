import CQLClient
import CQLProtocol
import CQLSyntax
public import DualWriteCore
public import Logging
public import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// The dual-writer proxy: listens for applications, forwards to both clusters, changes its write mode at run time.
///
/// Thread-safe. ``run()`` returns after a graceful shutdown, when every request in flight has its answer and the shadow lanes
/// are empty or ``DualWriterTimeouts/drainMilliseconds`` are over.
public final class DualWriterService: Service {
    /// Whether what a cluster says of itself counts.
    enum Admission {
        /// It does, for the first time or again; the other leg is done without where it leads to the same cluster.
        case admitted(isNews: Bool, displaced: Cluster?)
        /// It does not, for this reason.
        case refused(String, isNews: Bool)
    }

    struct State {
        var settings: DualWriterLoop.Settings
        var epoch: Int
        var source: ClusterConfiguration
        var target: ClusterConfiguration
        var loops: [NIOLoopBound<DualWriterLoop>] = []
        var watches: [Cluster: ClusterWatch] = [:]
        var topologies: [Cluster: ClusterTopology] = [:]
        /// Why a cluster that answers is not used.
        var refusals: [Cluster: String] = [:]
        /// Clusters whose control connection was lost and does not stand again.
        var lost: Set<Cluster> = []
        var boundAddress: SocketAddress?
        var isDraining = false
        /// When requests begin to be refused, because another stage may be in force by then.
        var actsUntil = NIODeadline.distantFuture
        /// The same for tables in a mode of one cluster.
        var actsAloneUntil = NIODeadline.distantFuture
        /// Mode and host changes are one at a time.
        var isChanging = false

        subscript(cluster: Cluster) -> ClusterConfiguration {
            get { cluster == .source ? self.source : self.target }
            set { if cluster == .source { self.source = newValue } else { self.target = newValue } }
        }

        /// Notes what a cluster says of itself, unless it is the other leg's cluster: each write would be done twice there.
        /// Of two such legs the primary's is used, whichever has spoken first.
        mutating func admit(_ topology: ClusterTopology, as cluster: Cluster) -> Admission {
            var displaced: Cluster?
            if let refusal = self.refusal(of: topology, as: cluster) {
                guard cluster == self.settings.mode.primary else {
                    let isNews = self.refusals.updateValue(refusal, forKey: cluster) == nil
                    return .refused(refusal, isNews: isNews)
                }
                displaced = cluster.other
                self.topologies[cluster.other] = nil
                self.refusals[cluster.other] = Self.sameCluster(cluster.other)
            }
            let isNews = self.topologies[cluster] == nil || self.lost.contains(cluster)
            self.topologies[cluster] = topology
            self.refusals[cluster] = nil
            self.lost.remove(cluster)
            return .admitted(isNews: isNews, displaced: displaced)
        }

        /// Why a topology cannot be that of a leg; nil where it can.
        func refusal(of topology: ClusterTopology, as cluster: Cluster) -> String? {
            guard let other = self.topologies[cluster.other], topology.isSameCluster(as: other) == true else {
                return nil
            }
            return Self.sameCluster(cluster)
        }

        private static func sameCluster(_ cluster: Cluster) -> String {
            "the hosts of the \(cluster) are those of the \(cluster.other) (a host_id in common); both legs lead to one "
                + "cluster"
        }

        func isConfigured(_ cluster: Cluster) -> Bool { !self[cluster].contactPoints.isEmpty }
    }

    let configuration: DualWriterConfiguration
    let logger: Logger
    let state: Mutex<State>
    let registry: PreparedRegistry
    let store: ShadowStore?
    /// What all loops owe, for each of them to see; nil where there is only one.
    let progress: OwedProgress?

    /// A proxy that does nothing until ``run()``.
    ///
    /// - Parameter store: what is kept beyond the life of the process; nil: what a shadow is owed is in memory alone.
    public init(configuration: DualWriterConfiguration, store: ShadowStore? = nil, logger: Logger) {
        self.configuration = configuration
        self.store = store
        self.progress = configuration.loops > 1 ? OwedProgress(loops: configuration.loops) : nil
        self.logger = logger
        self.registry = PreparedRegistry(
            entriesMax: configuration.limits.preparedStatementsMax,
            bytesMax: configuration.limits.preparedBytesMax
        )
        // The oldest first, so that the order of their last use is the old one.
        for (index, statement) in configuration.preparedTexts.reversed().enumerated() {
            _ = self.registry.register(statement.id, at: Int64(index) << 20) {
                KnownStatement(
                    text: statement.text,
                    keyspace: statement.keyspace,
                    analysis: StatementAnalysis.analyze(statement.text),
                    metadata: MetadataPrint(rawValue: statement.metadata)
                )
            }
        }
        self.state = Mutex(
            State(
                settings: .init(
                    stage: configuration.stage,
                    overrides: configuration.overrides,
                    policy: configuration.policy,
                    timeouts: configuration.timeouts,
                    filter: configuration.filter,
                    actingAsConfigured: configuration.actingAsConfigured,
                    comparison: configuration.comparison,
                    requestLog: configuration.requestLog
                ),
                epoch: configuration.epoch,
                source: configuration.source,
                target: configuration.target
            )
        )
    }

    /// The address that the listener is bound to, once it is.
    public var boundAddress: SocketAddress? { self.state.withLock { $0.boundAddress } }

    /// The write mode in force, with its epoch.
    public var mode: (mode: WriteMode, epoch: Int) { self.state.withLock { ($0.settings.mode, $0.epoch) } }

    /// The stage in force: the write mode, and whether reads have moved ahead of it.
    public var stage: ModeStage { self.state.withLock { $0.settings.stage } }

    /// The modes in force: the sidecar's, and those that tables have of their own.
    public var modes: TableModes { self.state.withLock { $0.settings.modes } }

    /// The timeouts in force.
    public var timeouts: DualWriterTimeouts { self.state.withLock { $0.settings.timeouts } }

    /// Statements that were prepared so far; a number that has not changed means that ``preparedTexts(bytesMax:)`` are the same.
    public var preparedCount: Int { self.registry.arrivals }

    /// The texts of prepared statements that were used last, up to a number of bytes, the latest first: what a later start
    /// should know (``DualWriterConfiguration/preparedTexts``), so that drivers' ids stay good.
    public func preparedTexts(bytesMax: Int) -> [PreparedText] { self.registry.texts(bytesMax: bytesMax) }
}

extension PreparedText {
    var id: StatementID { StatementID(keyspace: self.keyspace, text: self.text) }
}
