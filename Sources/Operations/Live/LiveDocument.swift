/// What one event of `GET /v1/events` carries: all that the live page shows and that changes by itself.
public struct LiveDocument: Codable, Sendable, Equatable {
    /// What the comparison of live reads has found, since the start.
    public struct Comparison: Codable, Sendable, Equatable {
        /// One table's part.
        public struct Table: Codable, Sendable, Equatable {
            /// `keyspace.table`.
            public var table: String
            /// Reads of which it is known whether the clusters answer them alike.
            public var compared: UInt64
            /// Those that differ.
            public var mismatches: UInt64
        }

        /// The share of reads that is compared, in per cent.
        public var percentage: Double
        /// Reads of which it is known whether the clusters answer them alike.
        public var compared: UInt64
        /// Those that differ.
        public var mismatches: UInt64
        /// Reads that were chosen and not compared.
        public var skipped: UInt64
        /// By table, those with most mismatches first; the first ``LiveDocument/tablesMax``.
        public var tables: [Table]
    }

    /// Tables, and groups of partitions in doubt, that an event names.
    public static var tablesMax: Int { 100 }

    /// When, as an RFC 3339 timestamp in UTC.
    public var at: String
    /// As `GET /v1/status` has it.
    public var status: StatusDocument
    /// As `GET /v1/phase` has it.
    public var phase: PhaseDocument
    /// As `GET /v1/journal` has it, at most a few seconds old; nil before the first look.
    public var journal: JournalDocument?
    /// The partitions in doubt by table and reason, what is worst first; the first ``tablesMax``.
    public var dirty: [DirtyDocument.Group]
    /// Rates and latencies.
    public var traffic: TrafficDocument
    /// The comparison of live reads.
    public var comparison: Comparison

    init(_ reading: LiveReading, journal: JournalDocument?, traffic: TrafficDocument) {
        self.at = reading.at
        self.status = reading.status
        self.phase = reading.phase
        self.journal = journal
        self.dirty = Array(reading.dirty.prefix(Self.tablesMax))
        self.traffic = traffic
        let tables = reading.traffic.tables.sorted {
            ($0.mismatches, $0.compared, $1.table) > ($1.mismatches, $1.compared, $0.table)
        }
        self.comparison = Comparison(
            percentage: reading.validationPercentage,
            compared: tables.reduce(0) { $0 + $1.compared },
            mismatches: tables.reduce(0) { $0 + $1.mismatches },
            skipped: reading.traffic.skipped,
            tables: tables.prefix(Self.tablesMax).map {
                .init(table: $0.table, compared: $0.compared, mismatches: $0.mismatches)
            }
        )
    }
}
