import Operations

/// Everything that the live view shows, at one moment.
struct WatchModel: Sendable {
    /// One replica as it was heard last.
    struct Replica: Sendable {
        /// How people tell it from the others.
        let name: String
        /// Its last event; nil before the first.
        var live: LiveDocument?
        /// Seconds since then.
        var age = 0.0
        /// Why nothing is heard of it now; nil while it tells.
        var problem: String?
        /// Whether the next step is safe; nil before it was asked, and in the last mode.
        var verdict: VerdictDocument?
        /// What loader and reader have reported to it.
        var reports: ReportsDocument?
        /// What it knows by table.
        var tables: TablesDocument?

        init(name: String) { self.name = name }

        /// Events older than this, in seconds, are news no more: one comes each second.
        static var ageMax: Double { 5 }

        /// What is wrong with what is known of it; nil where it is fresh.
        var trouble: String? {
            if let problem { return problem }
            guard self.live != nil else { return "not heard of yet" }
            return self.age > Self.ageMax ? "silent for \(Human.duration(seconds: self.age))" : nil
        }
    }

    var replicas: [Replica]
    /// When, as an RFC 3339 timestamp in UTC.
    var at: String
}

/// What the replicas say of one cluster, added up. Latencies cannot be added: they are the slowest replica's.
struct WatchLeg: Equatable {
    let cluster: String
    private(set) var roles: [String] = []
    /// Replicas that reach it, of those that have it.
    private(set) var connected = 0
    private(set) var count = 0
    private(set) var writesPerSecond = 0.0
    private(set) var writeErrorsPerSecond = 0.0
    private(set) var readsPerSecond = 0.0
    private(set) var readErrorsPerSecond = 0.0
    private(set) var writeP50: Double?
    private(set) var writeP99: Double?
    private(set) var readP50: Double?
    private(set) var readP99: Double?
    private(set) var owed = 0
    private(set) var oldestMilliseconds = 0
    private(set) var deadLetters = 0
    private(set) var doubtful = 0

    init(_ cluster: String, of documents: [LiveDocument]) {
        self.cluster = cluster
        for document in documents {
            if let leg = document.status.legs.first(where: { $0.cluster == cluster }) { self.add(leg) }
            if let traffic = document.traffic.legs.first(where: { $0.cluster == cluster }) { self.add(traffic) }
        }
    }

    private mutating func add(_ leg: StatusDocument.Leg) {
        if !self.roles.contains(leg.role) { self.roles.append(leg.role) }
        self.count += 1
        if leg.connected { self.connected += 1 }
        self.owed += leg.shadowQueued
        self.oldestMilliseconds = max(self.oldestMilliseconds, leg.shadowOldestMs)
        self.deadLetters += leg.deadLetters
        self.doubtful += leg.dirtyPartitions
    }

    private mutating func add(_ leg: TrafficDocument.Leg) {
        self.writesPerSecond += leg.writesPerSecond ?? 0
        self.writeErrorsPerSecond += leg.writeErrorsPerSecond ?? 0
        self.readsPerSecond += leg.readsPerSecond ?? 0
        self.readErrorsPerSecond += leg.readErrorsPerSecond ?? 0
        func slower(_ one: Double?, _ other: Double?) -> Double? { [one, other].compactMap(\.self).max() }
        self.writeP50 = slower(self.writeP50, leg.writeP50Ms)
        self.writeP99 = slower(self.writeP99, leg.writeP99Ms)
        self.readP50 = slower(self.readP50, leg.readP50Ms)
        self.readP99 = slower(self.readP99, leg.readP99Ms)
    }
}
