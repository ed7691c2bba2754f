import CQLProtocol
import Logging

/// Everything that `cluster-sync sstable-loader` needs to know, checked.
struct LoaderConfiguration: Sendable {
    /// Where it comes from.
    enum Source: Sendable {
        case cluster(ClusterPlace)
        case files(Files)
    }

    /// SSTables on disk.
    struct Files: Sendable, Equatable {
        var paths: [String]
        /// Nil: the tables' own files.
        var snapshot: String?
        /// Whether what incremental backups have left is read, beside the snapshot or instead of the tables' own files.
        var backups = false
    }

    /// The job, and who keeps how far it is.
    struct Job: Sendable, Equatable {
        enum Store: Sendable, Equatable {
            /// A file of SQLite.
            case sqlite(path: String)
            /// Keyspace `cluster_sync` of the target.
            case cluster
        }

        var name: String
        var store: Store
        /// Nil: host and process.
        var worker: String?
        var startsByItself: Bool
        var exitsWhenDone: Bool
    }

    /// Where the moment is asked for since which the dual writer writes to both clusters.
    enum DualWriter: Sendable, Equatable {
        /// Admin ports of all sidecars.
        case admin([String])
        case stateFolder(String)
    }

    struct Limits: Sendable, Equatable {
        /// What is left of the window however slow the target becomes.
        var inFlightMin: Int
        var inFlight: Int
        var bytesInFlight: Int
    }

    struct Batch: Sendable, Equatable {
        var statements: Int
        var bytes: Int
    }

    struct Retries: Sendable, Equatable {
        /// Of a request, besides its first attempt.
        var requests: Int
        var pauseMilliseconds: Int
        var pauseMillisecondsMax: Int
    }

    struct DeadLetters: Sendable, Equatable {
        /// Each worker has a file of its own in it.
        var folder: String
        var fileBytes: Int
        var lettersMax: Int
    }

    /// The time of a column whose time the source does not tell.
    enum UntoldTime: String, Sendable { case newestOfRow = "newest_of_row", ceiling }

    /// Which rows get a marker.
    enum Markers: String, Sendable { case always, withoutCells = "without_cells" }

    /// What happens to counter tables.
    enum Counters: String, Sendable { case refuse, addDifference = "add_difference" }

    /// How lists are written.
    enum Lists: String, Sendable { case places, whole, refuse }

    struct Indexes: Sendable, Equatable {
        var dropsFirst: Bool
        var rebuildsAfter: Bool
        var buildTimeoutMilliseconds: Int
    }

    var source: Source
    var target: ClusterPlace
    var job: Job
    var stateDirectory: String
    var tables: TablePatterns
    /// What the target does not have on purpose.
    var columnsLeftOut: [ColumnName]
    var ceiling: LoaderCeiling
    /// Nil where the ceiling is not the dual writer's.
    var dualWriter: DualWriter?
    /// How far the clocks of clients, sidecars and this machine may be apart.
    var clockSkew: Duration
    /// Who is told how far the load is, and how admin ports that speak TLS are trusted.
    var reports: ReportSender.Targets
    /// Its limits are as many as the target takes where none are given.
    var reading: JobReading
    var limits: Limits
    var batch: Batch
    var retries: Retries
    var deadLetters: DeadLetters
    var writeConsistency: Consistency
    /// Whether times of elements are read one by one where the source tells them so.
    var asksElementsByKey: Bool
    var untoldTime: UntoldTime
    var markers: Markers
    var counters: Counters
    var lists: Lists
    var indexes: Indexes
    var admin: ListenAddress
    var adminToken: Secret?
    /// TLS of the admin port; nil: plain HTTP.
    var adminTLS: TLSFiles?
    /// How often the files of certificates, passwords and tokens are read.
    var reloadMilliseconds: Int
    var logLevel: Logger.Level
    var logFormat: LogFormat
}

extension LoaderConfiguration {
    /// Reads and checks every key; all faults are reported at once.
    ///
    /// - Parameter readFile: the text of a file that holds a secret, or nil where it cannot be read.
    init(_ layers: ConfigurationLayers, readFile: @escaping (String) -> String?) throws(ConfigurationError) {
        var values = ConfigurationValues(layers: layers, readFile: readFile)
        self.source = Self.source(&values)
        self.target = ClusterPlace("target", &values)
        if self.target.cluster.hosts.isEmpty { values.fault("target.hosts", "is missing: where does it go to?") }
        self.stateDirectory = values.text("state_dir") ?? ""
        self.job = Self.job(&values, stateDirectory: self.stateDirectory)
        self.tables = values.tablePatterns()
        self.columnsLeftOut = values.columnsLeftOut()
        let ceiling = values.ceiling("ceiling")
        self.ceiling = ceiling ?? .none
        self.dualWriter = Self.dualWriter(&values, ceiling)
        self.clockSkew = .milliseconds(values.integer("clock_skew_ms"))
        self.reports = ReportSender.Targets(&values)
        self.reading = JobReading(&values)
        self.limits = Limits(
            inFlightMin: values.integer("limits.in_flight_min"),
            inFlight: values.integer("limits.in_flight"),
            bytesInFlight: values.integer("limits.bytes_in_flight")
        )
        self.batch = Batch(statements: values.integer("batch.statements"), bytes: values.integer("batch.bytes"))
        self.retries = Self.retries(&values)
        self.deadLetters = DeadLetters(
            folder: values.text("dead_letters.folder") ?? "\(self.stateDirectory)/dead-letters",
            fileBytes: values.integer("dead_letters.file_bytes"),
            lettersMax: values.integer("dead_letters.max")
        )
        self.writeConsistency = values.consistency("consistency.write")
        self.asksElementsByKey = values.flag("elements_by_key")
        self.untoldTime = UntoldTime(rawValue: values.choice("untold_time")) ?? .newestOfRow
        self.markers = Markers(rawValue: values.choice("markers")) ?? .always
        self.counters = Counters(rawValue: values.choice("counters")) ?? .refuse
        self.lists = Lists(rawValue: values.choice("lists")) ?? .places
        self.indexes = Indexes(
            dropsFirst: values.flag("indexes.drop_first"),
            rebuildsAfter: values.flag("indexes.rebuild_after"),
            buildTimeoutMilliseconds: values.integer("indexes.build_timeout_ms")
        )
        self.admin = values.address("admin.listen")
        self.adminToken = values.secret("admin.token", file: "admin.token_file")
        self.adminTLS = TLSFiles.admin(&values)
        self.reloadMilliseconds = values.integer("reload_ms")
        self.logLevel = Logger.Level(rawValue: values.choice("log.level")) ?? .info
        self.logFormat = LogFormat(rawValue: values.choice("log.format")) ?? .text
        self.checkWhatFitsTogether(&values, ceiling)
        guard values.faults.isEmpty else { throw ConfigurationError(faults: values.faults) }
    }

    /// What is valid alone and not with the rest.
    private func checkWhatFitsTogether(_ values: inout ConfigurationValues, _ ceiling: LoaderCeiling?) {
        if case .files = self.source, self.counters == .addDifference {
            values.fault("counters", "add_difference needs a source cluster, whose counters can be read")
        }
        if case .cluster(let source) = self.source,
            let both = source.cluster.addresses.first(where: { self.target.cluster.addresses.contains($0) })
        {
            values.fault("target.hosts", "has \(both), which is the source: a cluster cannot be loaded into itself")
        }
        if self.limits.inFlightMin > self.limits.inFlight {
            values.fault("limits.in_flight_min", "is more than limits.in_flight (\(self.limits.inFlight))")
        }
        if self.untoldTime == .ceiling, ceiling == LoaderCeiling.none {
            values.fault("untold_time", "ceiling needs one; ceiling is none")
        }
    }

    private static func source(_ values: inout ConfigurationValues) -> Source {
        let place = ClusterPlace("source", &values)
        let files = Files(
            paths: values.texts("files.paths"),
            snapshot: values.text("files.snapshot"),
            backups: values.flag("files.backups")
        )
        switch (place.cluster.hosts.isEmpty, files.paths.isEmpty) {
        case (true, true):
            values.fault("source.hosts", "is missing, and files.paths too: where does it come from?")
        case (false, false):
            values.fault("files.paths", "stands beside source.hosts; give one of the two")
        case (true, false):
            return .files(files)
        case (false, true):
            if files.snapshot != nil { values.fault("files.snapshot", "needs files.paths beside it") }
            if files.backups { values.fault("files.backups", "needs files.paths beside it") }
        }
        return .cluster(place)
    }

    private static func job(_ values: inout ConfigurationValues, stateDirectory: String) -> Job {
        let file = values.text("job.file")
        var store = Job.Store.cluster
        if values.choice("job.store") == "sqlite" {
            store = .sqlite(path: file ?? "\(stateDirectory)/job.sqlite")
        } else if file != nil {
            values.fault("job.file", "needs job.store: sqlite")
        }
        return Job(
            name: JobReading.name(&values),
            store: store,
            worker: values.text("job.worker"),
            startsByItself: values.flag("job.auto_start"),
            exitsWhenDone: values.flag("job.exit_when_done")
        )
    }

    private static func dualWriter(_ values: inout ConfigurationValues, _ ceiling: LoaderCeiling?) -> DualWriter? {
        let admin = values.texts("dual_writer.admin")
        for address in admin where !address.hasPrefix("http://") && !address.hasPrefix("https://") {
            values.fault("dual_writer.admin", "'\(address.prefix(80))' is no address such as http://127.0.0.1:8080")
        }
        let folder = values.text("dual_writer.state_dir")
        if !admin.isEmpty, folder != nil {
            values.fault("dual_writer.state_dir", "stands beside dual_writer.admin; give one of the two")
        }
        guard ceiling == .dualWriter else { return nil }
        if let folder { return .stateFolder(folder) }
        if admin.isEmpty {
            values.fault(
                "ceiling",
                "dual_writer needs dual_writer.admin or dual_writer.state_dir beside it; else give a moment, or none"
            )
        }
        return .admin(admin)
    }

    private static func retries(_ values: inout ConfigurationValues) -> Retries {
        let retries = Retries(
            requests: values.integer("retries.max"),
            pauseMilliseconds: values.integer("retries.pause_ms"),
            pauseMillisecondsMax: values.integer("retries.pause_max_ms")
        )
        if retries.pauseMillisecondsMax < retries.pauseMilliseconds {
            values.fault("retries.pause_max_ms", "is less than retries.pause_ms (\(retries.pauseMilliseconds))")
        }
        return retries
    }
}
