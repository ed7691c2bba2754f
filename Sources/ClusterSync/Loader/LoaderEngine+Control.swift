import Logging
import Operations
import SSTable
import SSTableLoader
import Synchronization
import TokenRanges

/// What the admin port asks.
extension LoaderEngine: LoaderControl {
    func health() async -> LoaderHealthDocument {
        let status = await self.status()
        let owed = (try? await self.owedIndexes()) ?? 0
        return LoaderHealthDocument(
            status,
            indexManagerEnabled: self.configuration.indexes.dropsFirst,
            indexCount: owed
        )
    }

    func readiness() async -> Readiness { .ready }

    func status() async -> LoaderStatus {
        let job = self.state.withLock { $0.job }
        if let status = try? await job?.status() {
            self.state.withLock { state in
                if state.job === job { state.last = status }
            }
        }
        return self.state.withLock { self.status($0) }
    }

    func start(_ start: LoaderStart) async throws(AdminError) -> LoaderActionDocument {
        // What does not exist is told at once; a load that runs is told before anything is asked.
        try self.state.withLock { state throws(AdminError) in
            var run = state.run
            try run.start(start.subject)
        }
        switch start.subject {
        case .everything: break
        case .keyspaces(let names):
            for name in names where try await self.plan(of: .keyspaces([name])).tables.isEmpty {
                throw AdminError(.unknownKeyspace, "The source has no table to load in keyspace '\(name)'.", hint: nil)
            }
        case .table(let keyspace, let table):
            guard try await !self.plan(of: start.subject).tables.isEmpty else {
                throw AdminError(.unknownTable, "The source has no table '\(keyspace).\(table)'.", hint: nil)
            }
        }
        try self.takeOn(start)
        self.logger.notice(
            "a load is asked for",
            metadata: ["subject": "\(start.subject)", "by": "\(start.by)", "reason": "\(start.reason ?? "-")"]
        )
        return LoaderActionDocument(
            action: "start",
            message: "The load of \(start.subject) begins.",
            job: self.base.job,
            state: .running
        )
    }

    func perform(_ action: LoaderAction) async throws(AdminError) -> LoaderActionDocument {
        let (isChanged, job, state) = try self.state.withLock { state throws(AdminError) in
            (try state.run.perform(action.verb), state.job, state.run.state)
        }
        if isChanged, let job {
            do {
                switch action.verb {
                case .stop: try await job.stop()
                case .pause: try await job.pause()
                case .resume: try await job.resume()
                }
            } catch {
                throw AdminError(.changeFailed, "The job's store does not take it: \(error)", hint: "Try again.")
            }
        }
        if isChanged {
            self.logger.notice(
                "the load is told to \(action.verb.rawValue)",
                metadata: ["by": "\(action.by)", "reason": "\(action.reason ?? "-")"]
            )
        }
        return LoaderActionDocument(
            action: action.verb.rawValue,
            message: isChanged ? "All workers of the job are told." : "That is so already.",
            job: self.base.job,
            state: state,
            changed: isChanged
        )
    }

    func discover(keyspace: String) async throws(AdminError) -> DiscoveryDocument {
        let plan = try await self.plan(of: .keyspaces([keyspace]), whateverIsWanted: true)
        guard !plan.tables.isEmpty else {
            throw AdminError(.unknownKeyspace, "The source has no table to load in keyspace '\(keyspace)'.", hint: nil)
        }
        return DiscoveryDocument(
            keyspace: keyspace,
            tables: plan.tables.map { table in
                .init(
                    name: table.table,
                    loaded: table.failure == nil && self.base.tables.wants(table.name),
                    reason: table.failure,
                    bytes: table.bytes.map { UInt64(clamping: $0) },
                    sstables: table.sstables
                )
            }
        )
    }

    /// What a load would do.
    ///
    /// - Parameter whateverIsWanted: as if the configuration named everything.
    func plan(
        of subject: LoaderStart.Subject,
        whateverIsWanted: Bool = false
    ) async throws(AdminError) -> LoadPlan {
        do {
            var settings = try await self.settings(for: subject)
            if whateverIsWanted { (settings.tables.include, settings.tables.exclude) = ([], []) }
            return try await LoadJob.plan(settings, on: self.group, logger: self.logger)
        } catch let error as SSTableError {
            throw AdminError(.nothingFound, "\(error)", hint: nil)
        } catch {
            throw AdminError(.clusterUnreachable, "What there is to load cannot be looked at: \(error)", hint: nil)
        }
    }

    private func owedIndexes() async throws -> Int { try await self.indexes().dropped }

    // MARK: The status

    private func status(_ state: State) -> LoaderStatus {
        let source = self.configuration.sourceNames
        var status = LoaderStatus(
            version: Version.current,
            job: self.base.job,
            worker: self.configuration.worker,
            source: .init(kind: source.kind, names: source.names, isConnected: state.isConnected, error: state.error),
            target: .init(
                kind: "cluster",
                names: self.configuration.target.cluster.hosts,
                isConnected: state.isConnected,
                error: state.error
            ),
            ceiling: state.ceiling
        )
        status.uptimeSeconds = Self.seconds(ContinuousClock.now - self.start)
        status.run = state.run
        status.elapsedSeconds = Self.seconds(state.took ?? state.began.map { ContinuousClock.now - $0 } ?? .zero)
        status.limits.rowsPerSecond = self.base.rates.rowsPerSecond
        status.limits.bytesPerSecond = self.base.rates.bytesPerSecond
        status.limits.inFlightMin = self.base.pace.writesMin
        status.limits.inFlightMax = self.base.pace.writesMax
        let planned = state.plan?.tables ?? []
        status.expectedRows = planned.isEmpty ? nil : Self.sum(planned.map(\.rows))
        if let last = state.last { Self.add(last, to: &status) }
        let known = Set(status.tables.map(\.name))
        for table in planned where !known.contains("\(table.name)") {
            var one = LoaderStatus.Table(name: "\(table.name)", state: table.failure == nil ? .waiting : .failed)
            one.reason = table.failure
            status.tables.append(one)
        }
        return status
    }

    private static func add(_ last: LoadStatus, to status: inout LoaderStatus) {
        status.progress = .init(last.total)
        status.tables = last.tables.map { .init($0) }
        status.failures = last.tables.flatMap { table in
            table.missing.map { range in
                LoaderStatus.Failure(
                    table: "\(table.keyspace).\(table.table)",
                    start: range.start,
                    end: range.end,
                    reason: table.failures.first?.reason ?? "the job was stopped"
                )
            }
        }
        status.deadLetters = UInt64(clamping: last.deadLetters)
        status.deadLettersFile = last.deadLetterPath
        status.counters.rows = UInt64(clamping: last.total.rows)
        status.counters.bytes = UInt64(clamping: last.total.bytes)
        status.counters.statements = UInt64(clamping: last.tally.statements)
        status.counters.deadLetters = UInt64(clamping: last.tally.deadLetters)
        status.counters.retries = ["all": UInt64(clamping: last.tally.retries)]
        status.counters.guesses = .init(last.tally)
        status.counters.latency = HistogramSnapshot(
            bounds: LatencyBuckets.bounds,
            counts: last.latency.counts.map { UInt64(clamping: $0) },
            sum: last.latency.sum
        )
        status.inFlight = last.inFlight
        status.limits.inFlight = last.inFlightMax
        (status.rowsPerSecond, status.bytesPerSecond) = (last.rowsPerSecond, last.bytesPerSecond)
        status.secondsLeft = last.secondsLeft
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    private static func sum(_ counts: [Int64?]) -> UInt64? {
        counts.reduce(0 as UInt64?) { sum, count in
            guard let sum, let count else { return nil }
            return sum + UInt64(clamping: count)
        }
    }
}

extension LoaderStatus.Progress {
    fileprivate init(_ progress: LoadStatus.Progress) {
        self.init()
        self.ranges.pending = progress.pending
        self.ranges.leased = progress.leased
        self.ranges.done = progress.done
        self.ranges.failed = progress.failed
        self.tokensCovered = progress.covered
        self.rows = UInt64(clamping: progress.rows)
        self.bytes = UInt64(clamping: progress.bytes)
        self.expectedBytes = progress.expectedBytes.map { UInt64(clamping: $0) }
    }
}

extension LoaderStatus.Guesses {
    fileprivate init(_ tally: LoadTally) {
        self.init()
        self.columns = UInt64(clamping: tally.guessedColumns)
        self.markers = UInt64(clamping: tally.guessedMarkers)
        self.lists = UInt64(clamping: tally.flattenedLists)
    }
}

extension LoaderStatus.Table {
    fileprivate init(_ table: LoadStatus.Table) {
        let progress = table.progress
        let state: State =
            if progress.failed > 0 {
                .failed
            } else if progress.done == progress.parts {
                .done
            } else {
                progress.done + progress.leased > 0 ? .running : .waiting
            }
        self.init(name: "\(table.keyspace).\(table.table)", state: state)
        self.reason = table.failures.first?.reason
        self.progress = .init(progress)
        self.guesses = .init(table.tally)
    }
}
