import CQLClient
import CQLProtocol
import FoundationEssentials
import LiveTables
import SSTableLoader
import TokenRanges

/// From what an operator has written to what the engine takes.
extension LoaderConfiguration {
    /// The settings of a load of everything that is configured, without its ceiling.
    ///
    /// - Throws: ``FileFault`` where certificates or passwords cannot be read.
    func settings(secrets: SecretReloader) async throws -> LoadSettings {
        var settings = LoadSettings(
            job: self.job.name,
            source: try await self.source(secrets),
            target: try await self.target.client("target", secrets),
            store: self.store,
            deadLetterFolder: self.deadLetters.folder
        )
        settings.deadLetterLimits.fileBytesMax = Int64(self.deadLetters.fileBytes)
        settings.tables = TableSelection(
            include: self.tables.include.map(\.description),
            exclude: self.tables.exclude.map(\.description)
        )
        for column in self.columnsLeftOut {
            let table = TableName(keyspace: column.keyspace, table: column.table)
            settings.leavingOut[table, default: []].insert(column.column)
        }
        settings.untoldTime = self.untoldTime == .ceiling ? .ceiling : .newestOfRow
        settings.markers = self.markers == .withoutCells ? .withoutCells : .always
        settings.copiesCounters = self.counters == .addDifference
        settings.lists =
            switch self.lists {
            case .places: .places
            case .whole: .whole
            case .refuse: .refuse
            }
        settings.asksByKey = self.asksElementsByKey
        settings.writeConsistency = self.writeConsistency
        self.setReading(of: &settings)
        self.setWriting(of: &settings)
        return settings
    }

    private func setReading(of settings: inout LoadSettings) {
        settings.bytesPerPart = Int64(self.reading.rangeBytes)
        settings.rates = self.reading.rates
        self.reading.apply(to: &settings.runner)
        self.reading.apply(to: &settings.reading)
        if case .cluster(let source) = self.source {
            settings.sourceSession.requestMilliseconds = source.requestTimeoutMilliseconds
        }
    }

    private func setWriting(of settings: inout LoadSettings) {
        settings.pace = AdaptivePace.Limits(writesMin: self.limits.inFlightMin, writesMax: self.limits.inFlight)
        settings.writer.inFlightMax = self.limits.inFlight
        settings.writer.bytesInFlightMax = self.limits.bytesInFlight
        settings.writer.batchStatementsMax = self.batch.statements
        settings.writer.batchBytesMax = self.batch.bytes
        settings.writer.attemptsMax = self.retries.requests + 1
        settings.writer.pauseMillisecondsMin = self.retries.pauseMilliseconds
        settings.writer.pauseMillisecondsMax = self.retries.pauseMillisecondsMax
        settings.writer.deadLettersMax = self.deadLetters.lettersMax
        settings.targetSession.inFlightMax = max(settings.targetSession.inFlightMax, self.limits.inFlight)
        settings.targetSession.requestMilliseconds = self.target.requestTimeoutMilliseconds
    }

    private func source(_ secrets: SecretReloader) async throws -> LoadSettings.Source {
        switch self.source {
        case .cluster(let place): .cluster(try await place.client("source", secrets))
        case .files(let files): .files(files.paths, places: files.places)
        }
    }

    private var store: LoadSettings.Store {
        switch self.job.store {
        case .sqlite(let path): .sqlite(path: path)
        case .cluster: .target()
        }
    }

    /// The worker's name: that of the host and the process where none is configured.
    var worker: String {
        self.job.worker ?? "\(ProcessInfo.processInfo.hostName)-\(ProcessInfo.processInfo.processIdentifier)"
    }

    /// Where it comes from, for people and documents.
    var sourceNames: (kind: String, names: [String]) {
        switch self.source {
        case .cluster(let place): ("cluster", place.cluster.hosts)
        case .files(let files): ("files", files.paths)
        }
    }
}

extension LoaderConfiguration.Files {
    /// Which of a table's folders are read.
    var places: [SSTableFolder.Place] {
        switch (self.snapshot, self.backups) {
        case (let name?, true): [.snapshot(name), .backups]
        case (let name?, false): [.snapshot(name)]
        case (nil, true): [.backups]
        case (nil, false): [.live]
        }
    }
}
