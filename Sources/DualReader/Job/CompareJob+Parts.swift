import CQLClient
import CQLProtocol
import LiveTables
import NIOCore
import Synchronization
import TokenRanges

/// Parts of a job, and dirty partitions, one after the other.
extension CompareJob {
    /// Pieces that a part is cut into which is too much at once.
    private static var piecesOfSplit: Int { 4 }

    /// Seconds since 1970.
    @Sendable static func now() -> Int64 { SQLiteJobStore.wallClock() / 1_000 }

    /// Compares what is left of a part.
    func compare(_ part: JobPart, _ context: PartContext) async throws -> PartOutcome {
        guard let rest = part.remainder else { return PartOutcome() }
        do {
            let comparison = try await self.comparison(of: part.table)
            var start = rest.start
            for range in self.settings.sampling.ranges(in: rest) {
                try await self.compare(range, of: part, comparison) { token, decided in
                    guard let done = TokenRange(after: start, through: token) else { return }
                    let finding = Finding(
                        table: part.table,
                        range: done,
                        tally: decided.tally,
                        samples: decided.samples.all
                    )
                    // Durable before anybody may rely on it.
                    try self.repairs.sync()
                    try await self.findings.add(finding)
                    try await context.checkpoint(at: token, rows: decided.rows, bytes: decided.bytes)
                    start = token
                    await self.clear(decided, of: part.table)
                }
            }
            // What lies behind the last range of a sample is known to be left out.
            if let left = TokenRange(after: start, through: rest.end) {
                let finding = Finding(table: part.table, range: left, tally: CompareTally(), samples: [])
                try await self.findings.add(finding)
            }
            return PartOutcome()
        } catch {
            throw self.failure(part.table, error)
        }
    }

    /// What a failure means for its part.
    private func failure(_ table: TableName, _ error: any Error) -> any Error {
        if error is CancellationError || Task.isCancelled { return error }
        if let error = error as? TokenRangesError { return error }
        // Perhaps the schema is another one by now.
        self.pairs.withLock { $0[table] = nil }
        switch error {
        case let error as LiveReadError where error.code == .needsSplit && !Self.isAway(error.underlying):
            return PartFailure.split(into: Self.piecesOfSplit, error.description)
        case let error as DigestError where !error.isTransient: return PartFailure.fatal(error.description)
        case let error as CompareError where error.code == .table || error.code == .refused:
            return PartFailure.fatal(error.description)
        default: return PartFailure.retry("\(error)")
        }
    }

    /// A cluster that cannot be reached is no reason to read it in smaller ranges.
    private static func isAway(_ error: (any Error)?) -> Bool {
        guard let code = (error as? CQLSessionError)?.code else { return false }
        return code == .connectionLost || code == .closed || code == .overloaded
    }

    // MARK: Tables

    func pair(_ name: TableName) async throws -> TablePair {
        if let known = self.pairs.withLock({ $0[name] }) { return known }
        let pair = try await self.planner.open(name)
        self.pairs.withLock { $0[name] = pair }
        return pair
    }

    private func comparison(of name: TableName) async throws -> RangeComparison {
        let pair = try await self.pair(name)
        let reading = self.reading(pair)
        let comparison = RowComparison(pair.table, self.settings.rules)
        return RangeComparison(
            pair: pair,
            comparison: comparison,
            settings: self.settings,
            settler: Settler(
                reading: reading,
                comparison: comparison,
                debt: self.debt,
                limits: self.settings.settling
            ),
            repairer: self.settings.repair.policy == .manual ? nil : self.repairer(pair, self.settings.repair),
            pace: self.pace
        )
    }

    private func reading(_ pair: TablePair) -> RowReading {
        RowReading(
            pair: pair,
            consistency: self.settings.reading.consistency,
            retries: RetryPolicy(attemptsMax: max(1, self.settings.settling.triesMax)),
            clock: ContinuousClock(),
            now: Self.now
        )
    }

    func repairer(_ pair: TablePair, _ settings: RepairSettings) -> Repairer {
        Repairer(
            reading: self.reading(pair),
            comparison: RowComparison(pair.table, self.settings.rules),
            settings: settings,
            consistency: self.settings.writeConsistency,
            report: self.repairs,
            prepared: self.prepared
        )
    }

    // MARK: Dirty partitions

    /// Compares the partitions of a table that are uncertain. The dual writer may be away: then all are compared later.
    func compareDirty(_ table: TableName) async throws {
        let partitions: [DirtyPartition]
        do {
            partitions = try await self.dirtySet.partitions(
                of: table,
                keyColumns: try await self.pair(table).table.partitionKey.count,
                max: self.settings.dirtyPartitionsMax
            )
        } catch let error as CancellationError {
            throw error
        } catch {
            return self.dirty.withLock { $0.failure = "\(error)" }
        }
        for partition in partitions {
            guard let range = TokenRange(after: partition.token &- 1, through: partition.token) else { continue }
            var isClean = false
            do {
                let comparison = try await self.comparison(of: table)
                try await comparison.run(range) { token, decided in
                    isClean = token == range.end && !decided.open.contains(partition.key)
                    self.dirty.withLock { $0.tally += decided.tally }
                }
                isClean = isClean && self.isWhole(table)
                if isClean { try await self.dirtySet.clear(partition, of: table) }
            } catch let error as CancellationError {
                throw error
            } catch {
                try Task.checkCancellation()
                isClean = false
                self.dirty.withLock { $0.failure = "\(error)" }
            }
            self.dirty.withLock { dirty in
                dirty.compared += 1
                if isClean { dirty.cleared += 1 } else { dirty.left += 1 }
            }
        }
    }

    /// Whether what is compared of a partition is all of it: only then the dual writer may forget its doubts.
    private func isWhole(_ table: TableName) -> Bool {
        self.settings.tenants == nil && self.settings.leavingOut[table, default: []].isEmpty
    }

    /// Tells the dual writer of partitions that were repaired.
    private func clear(_ decided: RangeComparison.Decided, of table: TableName) async {
        guard self.isWhole(table) else { return }
        for key in decided.repaired.subtracting(decided.open) {
            guard let routed = try? Murmur3Partitioner.partitionKey(key) else { continue }
            let partition = DirtyPartition(key: key, token: Murmur3Partitioner.token(of: routed))
            do { try await self.dirtySet.clear(partition, of: table) } catch {
                self.dirty.withLock { $0.failure = "\(error)" }
            }
        }
    }
}
