import DualWriteCore
import DualWriter
import Operations

/// What the live page shows.
extension SidecarControl: LiveSource {
    func reading(lookingAtTables: Bool) async -> LiveReading {
        let status = lookingAtTables ? await self.proxy.statusWithTables() : self.proxy.status()
        return LiveReading(
            at: Timestamp.now(),
            status: self.status(status),
            phase: self.phase(),
            journal: lookingAtTables ? self.journal(status) : nil,
            dirty: (try? self.dirty(DirtyQuestion(limit: 0)).summary) ?? [],
            validationPercentage: self.configuration().validationPercentage,
            traffic: TrafficReading(status.counters)
        )
    }
}

extension TrafficReading {
    init(_ counters: DualWriterCounters) {
        self.init(
            at: .now,
            legs: Cluster.allCases.map { .init($0, counters[$0]) },
            tables: counters.comparison.tables.map { name, table in
                .init(
                    table: name,
                    compared: table.reads.reduce(0) { $1.key.isVerdict ? $0 + $1.value : $0 },
                    mismatches: table.reads[.mismatch] ?? 0
                )
            },
            skipped: counters.comparison.skipped.values.reduce(0, +)
        )
    }
}

extension TrafficReading.Leg {
    init(_ cluster: Cluster, _ counters: DualWriterCounters.Leg) {
        self.init(
            cluster: cluster.description,
            writes: counters.writesSucceeded,
            writeErrors: counters.writesFailed,
            reads: counters.readsSucceeded,
            readErrors: counters.readsFailed,
            writeLatency: HistogramSnapshot(counters.writeLatency),
            readLatency: HistogramSnapshot(counters.readLatency)
        )
    }
}
