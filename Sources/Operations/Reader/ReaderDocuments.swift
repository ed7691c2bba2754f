/// What `GET /health` of a reader answers.
public struct ReaderHealthDocument: Codable, Sendable, Equatable {
    /// `healthy`, `degraded` (a cluster is waited for) or `unhealthy` (the last comparison could not be made). That clusters
    /// differ is no fault of the reader.
    public var status: String
    /// Always `dual-reader`.
    public var service: String
    /// The version of this program.
    public var version: String
    /// Seconds since the program was started.
    public var uptimeSeconds: Double
    /// What is the case with the comparison, as in the status.
    public var state: String
    /// Why it waits, or why the last one failed.
    public var reason: String?
    /// The last verdict on everything that is configured; absent before there is one.
    public var verdict: String?

    /// The document of `status`.
    public init(_ status: ReaderStatus) {
        self.service = "dual-reader"
        self.version = status.version
        self.uptimeSeconds = status.uptimeSeconds
        self.state = status.run.state.rawValue
        self.reason = status.run.reason
        self.verdict = status.lastWhole?.verdict
        switch status.run.state {
        case .failed: self.status = "unhealthy"
        case .waiting: self.status = "degraded"
        case .idle, .running, .stopping, .done, .stopped: self.status = "healthy"
        }
    }
}

/// What `GET /status` of a reader answers.
public struct ReaderStatusDocument: Codable, Sendable, Equatable {
    /// Always `ok`: the status could be read. What is the case with the comparison is in `state`.
    public var status: String
    /// `idle`, `waiting`, `running`, `stopping`, `done`, `stopped` or `failed`.
    public var state: String
    /// Why it waits, or why the last one failed.
    public var reason: String?
    /// What is or was compared last, for people.
    public var subject: String?
    /// What the comparison that runs has found so far.
    public var current: ReaderReportDocument?
    /// Rows in a second, of the comparison that runs.
    public var rowsPerSecond: Double?
    /// Seconds until it ends at this speed.
    public var etaSeconds: Double?
    /// The report of the last comparison that has ended.
    public var last: ReaderReportDocument?
    /// The report of the last one of everything that is configured.
    public var lastWhole: ReaderReportDocument?
    /// The last verdicts, the newest first.
    public var history: [ReaderVerdictDocument]
    /// Seconds between the starts of comparisons that begin by themselves; 0 where none does.
    public var validationIntervalSecs: Int
    /// When the next one begins by itself.
    public var nextAt: String?
    /// Differences that are remembered.
    public var discrepancies: Int
    /// Sidecars of the dual writer that are asked what they still owe.
    public var sidecars: Int

    /// The document of `status`.
    public init(_ status: ReaderStatus) {
        self.status = "ok"
        self.state = status.run.state.rawValue
        self.reason = status.run.reason
        self.subject = status.run.subject?.description
        self.current = status.current
        self.rowsPerSecond = status.rowsPerSecond
        self.etaSeconds = status.secondsLeft
        self.last = status.last
        self.lastWhole = status.lastWhole
        self.history = status.history
        self.validationIntervalSecs = status.intervalSeconds
        self.nextAt = status.nextAt
        self.discrepancies = status.discrepancies
        self.sidecars = status.sidecars
    }
}

/// What a successful `POST /validate…` or `/stop` answers.
public struct ReaderActionDocument: Codable, Sendable, Equatable {
    /// Always `success`.
    public var status: String
    /// `validate` or `stop`.
    public var action: String
    /// For people.
    public var message: String
    /// What is the case with the comparison now.
    public var state: String
    /// Whether that changed anything.
    public var changed: Bool

    /// Creates a document.
    public init(action: String, message: String, state: ReaderRun.State, changed: Bool = true) {
        self.status = "success"
        self.action = action
        self.message = message
        self.state = state.rawValue
        self.changed = changed
    }
}

/// What `GET /filter/stats` answers: what is compared, and how much of what was read was left out.
public struct ReaderFilterDocument: Codable, Sendable, Equatable {
    /// Whether anything is left out.
    public var enabled: Bool
    /// The column that says whose a row is; absent where none is configured.
    public var tenantColumn: String?
    /// How many tenants are compared; 0 for all.
    public var tenants: Int
    /// Patterns of tables that are compared; none for all.
    public var tablesIncluded: [String]
    /// Patterns of tables that are not.
    public var tablesExcluded: [String]
    /// Columns that are not, as `keyspace.table.column`.
    public var columnsExcluded: [String]
    /// The share of the partitions that is compared, 0 to 100.
    public var sampledPercentage: Double
    /// Rows that the last comparison has compared.
    public var rowsCompared: Int
    /// Rows that it has read and left out.
    public var rowsFiltered: Int
    /// Tables that it has compared.
    public var tablesCompared: Int
    /// Tables that it could not compare.
    public var tablesRefused: Int

    /// The document of what is configured, and of the last report.
    public init(
        tenantColumn: String?,
        tenants: Int,
        tablesIncluded: [String],
        tablesExcluded: [String],
        columnsExcluded: [String],
        sampledPercentage: Double,
        last: ReaderReportDocument?
    ) {
        self.enabled =
            tenants > 0 || !tablesIncluded.isEmpty || !tablesExcluded.isEmpty || !columnsExcluded.isEmpty
            || sampledPercentage < 100
        self.tenantColumn = tenantColumn
        self.tenants = tenants
        self.tablesIncluded = tablesIncluded
        self.tablesExcluded = tablesExcluded
        self.columnsExcluded = columnsExcluded
        self.sampledPercentage = sampledPercentage
        self.rowsCompared = last?.counts.rows ?? 0
        self.rowsFiltered = last?.counts.rowsFiltered ?? 0
        self.tablesRefused = last?.tables.count(where: \.refused) ?? 0
        self.tablesCompared = (last?.tablesTotal ?? 0) - self.tablesRefused
    }
}
