public import TokenRanges

/// How a comparison is at one moment: what all of its workers have done, by its parts, and what this worker has found.
public struct CompareReport: Sendable, Hashable {
    /// What is the case with a job.
    public enum State: String, Sendable, Hashable {
        /// Its parts are being compared, or wait for a worker.
        case running
        /// The operator's command is `pause`.
        case paused
        /// The operator's command is `stop`.
        case stopped
        /// Nobody will do more.
        case ended
    }

    /// One table.
    public struct Table: Sendable, Hashable {
        /// Its name.
        public let name: TableName
        /// What is said of it.
        public let verdict: Verdict
        /// What was compared and found.
        public let tally: CompareTally
        /// Some of the differences.
        public let samples: [DescribedDifference]
        /// The share of the wanted tokens that is decided, 0…1; 1 only where all of it is.
        public let coverage: Double
        /// The share of its partitions that is compared, 0…100.
        public let sampledPercentage: Double
        /// Parts by what is the case with them.
        public let partsPending, partsLeased, partsDone, partsFailed: Int
        /// Why parts have failed, each reason once.
        public let failures: [String]
        /// Why it cannot be compared at all; nil where it can.
        public let refusal: String?
        /// Columns whose elements' times are not told by both clusters, so that of them values alone were compared.
        public let untoldTimes: [String]
    }

    /// The dirty partitions of one run.
    public struct Dirty: Sendable, Hashable {
        /// Partitions that were compared.
        public internal(set) var compared = 0
        /// Partitions about which both clusters agree now, and that are uncertain no longer.
        public internal(set) var cleared = 0
        /// Partitions about which something is left.
        public internal(set) var left = 0
        /// What was found in them. They are compared again with all others, and are no part of the tables' figures.
        public internal(set) var tally = CompareTally()
        /// Why the dual writer's set could not be read or changed, the last time; nil where it could.
        public internal(set) var failure: String?
    }

    /// The job's name.
    public let job: String
    /// This worker's name.
    public let worker: String
    /// What is the case with the job.
    public let state: State
    /// The tables by name, those that cannot be compared among them.
    public let tables: [Table]
    /// What is said of all of them: the worst.
    public let verdict: Verdict
    /// Everything that was compared and found.
    public let tally: CompareTally
    /// The dirty partitions.
    public let dirty: Dirty
    /// The share of the wanted tokens that is decided, 0…1.
    public let coverage: Double
    /// Rows in a second, of all workers; nil before some time has passed.
    public let rowsPerSecond: Double?
    /// Bytes in a second that are read from both clusters, of all workers.
    public let bytesPerSecond: Double?
    /// How long until nobody has anything left to do, in seconds; nil where that is not known.
    public let secondsLeft: Double?
    /// The file that tells of repairs.
    public let repairReportPath: String
}

extension CompareReport {
    /// Makes a report of what is known.
    static func make(
        job: String,
        worker: String,
        command: JobCommand,
        parts: [JobPart],
        plan: ComparePlan,
        findings: [Finding],
        dirty: Dirty,
        speed: ProgressMeter.Speed,
        settings: CompareSettings,
        repairReportPath: String
    ) -> CompareReport {
        let progress = JobProgress(parts)
        let byTable = Dictionary(grouping: parts, by: \.table)
        var tables = plan.tables.map { table in
            Self.table(
                table,
                parts: byTable[table.name] ?? [],
                totals: progress.tables[table.name] ?? .init(),
                findings: Self.valid(findings.filter { $0.table == table.name }),
                untold: plan.untoldTimes[table.name] ?? [],
                settings
            )
        }
        tables += plan.refusals.map { Self.refused($0.table, $0.reason, settings) }
        tables.sort { $0.name < $1.name }
        let state: State
        if progress.total.isEnded || parts.isEmpty {
            state = .ended
        } else {
            switch command {
            case .run: state = .running
            case .pause: state = .paused
            case .stop: state = .stopped
            }
        }
        return CompareReport(
            job: job,
            worker: worker,
            state: state,
            tables: tables,
            verdict: Self.worst(tables),
            tally: tables.reduce(into: CompareTally()) { $0 += $1.tally },
            dirty: dirty,
            coverage: progress.total.fraction ?? 0,
            rowsPerSecond: speed.rowsPerSecond,
            bytesPerSecond: speed.bytesPerSecond,
            secondsLeft: speed.timeLeft.map {
                Double($0.components.seconds) + Double($0.components.attoseconds) / 1e18
            },
            repairReportPath: repairReportPath
        )
    }

    /// Findings without those whose tokens were compared anew: a crash may lie between a finding and its checkpoint.
    static func valid(_ findings: [Finding]) -> [Finding] {
        // From the newest on, in the order of tokens: what intersects one that came later counts no longer.
        var kept: [Finding] = []
        for finding in findings.reversed() {
            let place = Self.place(of: finding.range.start, kept)
            if place < kept.count, kept[place].range.intersection(finding.range) != nil { continue }
            kept.insert(finding, at: place)
        }
        return kept
    }

    /// The first finding that ends behind a token.
    private static func place(of token: Int64, _ findings: [Finding]) -> Int {
        var (low, high) = (0, findings.count)
        while low < high {
            let middle = (low + high) / 2
            if findings[middle].range.end <= token { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Whether what was found is known of all tokens that are done: other workers may have found something that this one does not
    /// know, or a file of findings may be lost.
    static func knowsAll(of parts: [JobPart], _ findings: [Finding]) -> Bool {
        parts.allSatisfy { part in
            let end = part.state == .done ? part.range.end : part.checkpoint ?? part.range.start
            var known = part.range.start
            var place = Self.place(of: known, findings)
            while known < end, place < findings.count, findings[place].range.start <= known {
                known = findings[place].range.end
                place += 1
            }
            return known >= end
        }
    }

    private static func table(
        _ table: ComparedTable,
        parts: [JobPart],
        totals: JobProgress.Totals,
        findings: [Finding],
        untold: [String],
        _ settings: CompareSettings
    ) -> Table {
        var samples = DifferenceSamples(perClassMax: settings.samplesPerClassMax)
        var tally = CompareTally()
        for finding in findings {
            tally += finding.tally
            for difference in finding.samples { samples.add(difference) }
        }
        var failures: [String] = []
        for part in parts {
            guard case .failed(let reason) = part.state, !failures.contains(reason) else { continue }
            failures.append(reason)
        }
        return Table(
            name: table.name,
            verdict: Self.verdict(tally, totals, failures, knowsAll: Self.knowsAll(of: parts, findings)),
            tally: tally,
            samples: samples.all.map { DescribedDifference($0, table) },
            coverage: totals.fraction ?? 0,
            sampledPercentage: settings.sampling.percentage,
            partsPending: totals.pending,
            partsLeased: totals.leased,
            partsDone: totals.done,
            partsFailed: totals.failed,
            failures: failures,
            refusal: nil,
            untoldTimes: untold
        )
    }

    private static func refused(_ name: TableName, _ reason: String, _ settings: CompareSettings) -> Table {
        Table(
            name: name,
            verdict: .incomplete(reason: reason),
            tally: CompareTally(),
            samples: [],
            coverage: 0,
            sampledPercentage: settings.sampling.percentage,
            partsPending: 0,
            partsLeased: 0,
            partsDone: 0,
            partsFailed: 0,
            failures: [],
            refusal: reason,
            untoldTimes: []
        )
    }

    private static func verdict(
        _ tally: CompareTally,
        _ totals: JobProgress.Totals,
        _ failures: [String],
        knowsAll: Bool
    ) -> Verdict {
        let left = tally.rowsDifferent - tally.rowsRepaired
        if left > 0 { return .differs(reason: left == 1 ? "1 row differs" : "\(left) rows differ") }
        if let failure = failures.first {
            return .incomplete(reason: "\(totals.failed) of its parts have failed: \(failure)")
        }
        guard totals.isComplete else {
            let percent = Int((totals.fraction ?? 0) * 100)
            return .incomplete(reason: "\(percent) % of its tokens are compared")
        }
        guard knowsAll else {
            return .incomplete(reason: "what other workers have found in some ranges is not known to this one")
        }
        if tally.rowsUndecided > 0 { return .incomplete(reason: "\(tally.rowsUndecided) rows are undecided") }
        return .inSync
    }

    private static func worst(_ tables: [Table]) -> Verdict {
        for table in tables {
            if case .differs(let reason) = table.verdict { return .differs(reason: "\(table.name): \(reason)") }
        }
        for table in tables {
            if case .incomplete(let reason) = table.verdict { return .incomplete(reason: "\(table.name): \(reason)") }
        }
        return tables.isEmpty ? .incomplete(reason: "no table was compared") : .inSync
    }
}
