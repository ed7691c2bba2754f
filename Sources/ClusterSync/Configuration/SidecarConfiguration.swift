import DualWriteCore
import DualWriter
import Logging
import ShadowJournal

/// Everything that `cluster-sync dual-writer` needs to know, checked.
struct SidecarConfiguration: Sendable {
    struct Limits: Sendable {
        var frameBytes: Int
        var clientConnections: Int
        var inFlightPerClient: Int
        var clientQueuedBytes: Int
        var clientBytesInFlight: Int
        var requestsPerLoop: Int
        var requestBytesPerLoop: Int
        var unfinishedFrameBytes: Int
        var shadowQueueWrites: Int
        var shadowQueueBytes: Int
        var shadowInFlight: Int
        var shadowAttempts: Int
        var pools: Int
        var idlePoolMilliseconds: Int
        var preparedStatements: Int
        var comparisons: Int
        var comparisonBytes: Int
    }

    /// What is kept of the writes that a cluster is owed.
    struct Journal: Sendable {
        var isEnabled: Bool
        var folder: String
        var store: ShadowStore.Configuration
    }

    struct Timeouts: Sendable {
        var connectMilliseconds: Int
        var readMilliseconds: Int
        var primaryWriteMilliseconds: Int
        var shadowWriteMilliseconds: Int
        var drainMilliseconds: Int
    }

    var listen: ListenAddress
    /// What applications are told; nil: the address that they connect to.
    var advertised: ListenAddress?
    /// All sidecars that applications may use; empty: this one alone.
    var sidecars: [ListenAddress]
    /// TLS toward applications; nil: plain connections.
    var tls: TLSFiles?
    /// How often the files of certificates, passwords and tokens are read.
    var reloadMilliseconds: Int
    var admin: ListenAddress
    var adminToken: Secret?
    /// TLS of the admin port; nil: plain HTTP.
    var adminTLS: TLSFiles?
    var stateDirectory: String
    var journal: Journal
    /// Who else has the same write mode.
    var replica: ReplicaSettings
    var writeMode: WriteMode
    /// Tables with modes of their own.
    var overrides: ModeOverrides
    /// Where the mode came from; nil for the default.
    var writeModeOrigin: String?
    var validationPercentage: Double
    /// How long a difference between the clusters may take to go away by itself.
    var comparisonSettleMilliseconds: Int
    /// 0 chooses by the cores.
    var loops: Int
    var log: LogSettings
    var logFormat: LogFormat
    var source: ClusterSettings
    var target: ClusterSettings
    var timeouts: Timeouts
    var policy: StatementPolicy
    /// What the shadow gets copies of.
    var filter: ShadowFilter
    /// The file that this stands in, followed while the sidecar runs; nil where it is in the configuration itself.
    var filterFile: String?
    var limits: Limits
    /// What is asked before a step of the write mode.
    var gates: GateSettings
}

extension SidecarConfiguration {
    /// Reads and checks every key; all faults are reported at once.
    ///
    /// - Parameter readFile: the text of a file that holds a secret, or nil where it cannot be read.
    init(_ layers: ConfigurationLayers, readFile: @escaping (String) -> String?) throws(ConfigurationError) {
        var values = ConfigurationValues(layers: layers, readFile: readFile)
        self.listen = values.address("listen")
        self.advertised = values.optionalAddress("advertised")
        self.sidecars = values.addresses("sidecars")
        self.tls = TLSFiles.server(
            &values,
            certificate: "tls.certificate",
            key: "tls.key",
            authorities: "tls.client_ca"
        )
        self.reloadMilliseconds = values.integer("reload_ms")
        self.admin = values.address("admin.listen")
        self.adminToken = values.secret("admin.token", file: "admin.token_file")
        self.adminTLS = TLSFiles.admin(&values)
        self.stateDirectory = values.text("state_dir") ?? ""
        self.journal = Self.journal(&values, stateDirectory: self.stateDirectory)
        self.replica = ReplicaSettings(&values)
        self.writeMode = values.mode("write_mode")
        self.writeModeOrigin = values.origin("write_mode")
        self.overrides = values.overrides("overrides")
        self.validationPercentage = values.percentage("validation_percentage")
        self.comparisonSettleMilliseconds = values.integer("comparison.settle_ms")
        self.loops = values.integer("loops")
        self.log = LogSettings(&values)
        self.logFormat = LogFormat(rawValue: values.choice("log.format")) ?? .text
        self.source = ClusterSettings("source", &values)
        self.target = ClusterSettings("target", &values)
        self.timeouts = Timeouts(
            connectMilliseconds: values.integer("timeouts.connect_ms"),
            readMilliseconds: values.integer("timeouts.read_ms"),
            primaryWriteMilliseconds: values.integer("timeouts.primary_write_ms"),
            shadowWriteMilliseconds: values.integer("timeouts.shadow_write_ms"),
            drainMilliseconds: values.integer("timeouts.drain_ms")
        )
        self.policy = StatementPolicy(
            schemaChanges: .init(rawValue: values.choice("statements.ddl")) ?? .both,
            access: .init(rawValue: values.choice("statements.roles")) ?? .primary,
            syncFailure: .init(rawValue: values.choice("sync_failure")) ?? .fail,
            journalFull: .init(rawValue: values.choice("journal.full")) ?? .markDirty
        )
        self.filterFile = values.text("filter_file")
        self.filter = values.shadowFilter(orOf: self.filterFile)
        self.limits = Limits(
            frameBytes: values.integer("limits.frame_bytes"),
            clientConnections: values.integer("limits.client_connections"),
            inFlightPerClient: values.integer("limits.in_flight_per_client"),
            clientQueuedBytes: values.integer("limits.client_queued_bytes"),
            clientBytesInFlight: values.integer("limits.client_bytes_in_flight"),
            requestsPerLoop: values.integer("limits.requests_per_loop"),
            requestBytesPerLoop: values.integer("limits.request_bytes_per_loop"),
            unfinishedFrameBytes: values.integer("limits.unfinished_frame_bytes"),
            shadowQueueWrites: values.integer("limits.shadow_queue_writes"),
            shadowQueueBytes: values.integer("limits.shadow_queue_bytes"),
            shadowInFlight: values.integer("limits.shadow_in_flight"),
            shadowAttempts: values.integer("limits.shadow_attempts"),
            pools: values.integer("limits.pools"),
            idlePoolMilliseconds: values.integer("limits.idle_pool_ms"),
            preparedStatements: values.integer("limits.prepared_statements"),
            comparisons: values.integer("limits.comparisons"),
            comparisonBytes: values.integer("limits.comparison_bytes")
        )
        self.gates = GateSettings(&values)
        if self.log.requests.isOn, self.log.level > .info {
            values.fault("log.level", "leaves out what log.requests asks for: requests are logged at info")
        }
        if self.listen == self.admin, self.listen.port != 0 {
            values.fault("admin.listen", "is the same address as listen")
        }
        if !self.sidecars.isEmpty, self.advertised.map({ self.sidecars.contains($0) }) != true {
            values.fault("sidecars", "does not contain the address of this one; set advertised to it")
        }
        guard values.faults.isEmpty else { throw ConfigurationError(faults: values.faults) }
    }

    private static func journal(_ values: inout ConfigurationValues, stateDirectory: String) -> Journal {
        var store = ShadowStore.Configuration()
        let interval = values.integer("journal.sync_interval_ms")
        switch values.choice("journal.sync") {
        case "never": store.sync = .never
        case "always": store.sync = .always
        default: store.sync = .interval(milliseconds: interval)
        }
        store.bytesMax = values.integer("journal.bytes")
        store.segmentBytes = values.integer("journal.segment_bytes")
        if store.bytesMax < 2 * store.segmentBytes {
            values.fault("journal.bytes", "is less than two files of journal.segment_bytes (\(store.segmentBytes))")
        }
        return Journal(
            isEnabled: values.choice("journal.enabled") == "true",
            folder: values.text("journal.dir") ?? "\(stateDirectory)/journal",
            store: store
        )
    }

    /// The settings of `cluster`.
    func settings(of cluster: Cluster) -> ClusterSettings { cluster == .source ? self.source : self.target }
}
