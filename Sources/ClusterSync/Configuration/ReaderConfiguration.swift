import Logging

/// Everything that `cluster-sync dual-reader` needs to know, checked.
struct ReaderConfiguration: Sendable {
    /// The comparison, and where it is kept how far it is.
    struct Job: Sendable, Equatable {
        /// Where it is kept how far it is.
        enum Store: Sendable, Equatable {
            /// A file of SQLite.
            case sqlite(path: String)
            /// Keyspace `cluster_sync` of the target, which several workers share.
            case cluster
        }

        var name: String
        var store: Store
        /// This worker's name among those that share the job; nil for host and process.
        var worker: String?
    }

    struct Sample: Sendable, Equatable {
        /// Above 0, up to 100.
        var percentage: Double
        var seed: Int
    }

    /// How a difference is looked at again before it counts.
    struct Settle: Sendable, Equatable {
        var waitMilliseconds: Int
        var pauseMillisecondsMax: Int
        var reads: Int
        var readsMax: Int
        var tries: Int
        var owedMillisecondsMax: Int
    }

    /// What counts as a difference, besides values.
    struct Rules: Sendable, Equatable {
        var timeToLiveSeconds: Int
        var writetimeMicroseconds: Int
        var comparesWritetimes: Bool
        var comparesTimesToLive: Bool
        var comparesListTimes: Bool
    }

    /// Whose rows are compared, in tables that have the column.
    struct Tenants: Sendable, Equatable {
        /// Nil where there is none; then nobody can ask for one tenant alone.
        var column: String?
        /// All where it is empty.
        var values: [String]
    }

    var source: ClusterPlace
    var target: ClusterPlace
    var tables: TablePatterns
    var columnsLeftOut: [ColumnName]
    var tenants: Tenants
    var job: Job
    var stateDirectory: String
    var sample: Sample
    var settle: Settle
    var rules: Rules
    /// Differences of each class and table that are shown.
    var samplesPerClass: Int
    /// Nil where both clusters are read from here.
    var peer: Peer?
    /// Its limits are each cluster's own.
    var reading: JobReading
    /// Who is told what a comparison of everything came to.
    var reports: ReportSender.Targets
    var repair: Repair
    /// Nobody is asked where it has no address.
    var sidecars: Sidecars
    /// How long a comparison waits for a cluster that is away at its start.
    var connectWaitMilliseconds: Int
    var service: Service
    /// How often the files of certificates and passwords are read.
    var reloadMilliseconds: Int
    var logLevel: Logger.Level
    var logFormat: LogFormat
}

extension ReaderConfiguration {
    /// Reads and checks every key; all faults are reported at once.
    ///
    /// - Parameter readFile: the text of a file that holds a secret, or nil where it cannot be read.
    init(_ layers: ConfigurationLayers, readFile: @escaping (String) -> String?) throws(ConfigurationError) {
        var values = ConfigurationValues(layers: layers, readFile: readFile)
        self.source = ClusterPlace("source", &values)
        self.target = ClusterPlace("target", &values)
        self.tables = values.tablePatterns()
        self.columnsLeftOut = values.columnsLeftOut()
        self.tenants = Tenants(column: values.text("tenants.column"), values: values.texts("tenants.values"))
        self.stateDirectory = values.text("state_dir") ?? ""
        self.job = Self.job(&values, self.stateDirectory)
        self.sample = Sample(
            percentage: values.percentage("sampling.percentage"),
            seed: values.integer("sampling.seed")
        )
        self.settle = Settle(
            waitMilliseconds: values.integer("settle.wait_ms"),
            pauseMillisecondsMax: values.integer("settle.pause_max_ms"),
            reads: values.integer("settle.reads"),
            readsMax: values.integer("settle.reads_max"),
            tries: values.integer("settle.tries"),
            owedMillisecondsMax: values.integer("settle.owed_max_ms")
        )
        self.rules = Rules(
            timeToLiveSeconds: values.integer("tolerances.ttl_seconds"),
            writetimeMicroseconds: values.integer("tolerances.writetime_us"),
            comparesWritetimes: values.flag("compare.writetimes"),
            comparesTimesToLive: values.flag("compare.ttls"),
            comparesListTimes: values.flag("compare.list_times")
        )
        self.samplesPerClass = values.integer("findings.samples")
        self.peer = Self.peer(&values)
        self.reading = JobReading(&values)
        self.reports = ReportSender.Targets(&values)
        self.repair = Repair(&values)
        self.sidecars = Sidecars(&values)
        self.connectWaitMilliseconds = values.integer("connect.wait_ms")
        self.service = Service(&values)
        self.reloadMilliseconds = values.integer("reload_ms")
        self.logLevel = Logger.Level(rawValue: values.choice("log.level")) ?? .info
        self.logFormat = LogFormat(rawValue: values.choice("log.format")) ?? .text
        self.checkWhatFitsTogether(&values)
        guard values.faults.isEmpty else { throw ConfigurationError(faults: values.faults) }
    }

    private static func job(_ values: inout ConfigurationValues, _ stateDirectory: String) -> Job {
        let file = values.text("job.file")
        let worker = values.text("job.worker")
        let isShared = values.choice("job.store") == "cluster"
        if isShared, file != nil { values.fault("job.file", "needs job.store: sqlite") }
        if !isShared, worker != nil { values.fault("job.worker", "needs job.store: cluster; else there is one alone") }
        return Job(
            name: JobReading.name(&values),
            store: isShared ? .cluster : .sqlite(path: file ?? "\(stateDirectory)/job.sqlite"),
            worker: worker
        )
    }

    /// What is missing, and what is valid alone and not with the rest.
    private func checkWhatFitsTogether(_ values: inout ConfigurationValues) {
        for (name, place) in [("source", self.source), ("target", self.target)] where place.cluster.hosts.isEmpty {
            values.fault("\(name).hosts", "is missing: what is compared?")
        }
        if let both = self.source.cluster.addresses.first(where: { self.target.cluster.addresses.contains($0) }) {
            values.fault("target.hosts", "has \(both), which is the source: a cluster is always equal to itself")
        }
        if self.tenants.column == nil, !self.tenants.values.isEmpty {
            values.fault("tenants.values", "needs tenants.column: which column has them?")
        }
        if self.sample.percentage == 0 {
            values.fault("sampling.percentage", "0 compares nothing, and would say that all is in sync")
        }
        if self.settle.readsMax < self.settle.reads {
            values.fault("settle.reads_max", "is less than settle.reads (\(self.settle.reads))")
        }
        if self.settle.pauseMillisecondsMax < self.settle.waitMilliseconds {
            values.fault("settle.pause_max_ms", "is less than settle.wait_ms (\(self.settle.waitMilliseconds))")
        }
    }
}
