import CQLClient
import LiveTables
import Logging
import NIOCore
import SSTable
import TokenRanges

/// One part of a job, from its source to the target.
extension LoadJob {
    /// Pieces that a part is cut into which is too much at once.
    private static var piecesOfSplit: Int { 4 }

    /// Loads what is left of a part.
    func load(_ part: JobPart, _ context: PartContext) async throws -> PartOutcome {
        guard let range = part.remainder else { return PartOutcome() }
        do {
            let table = try await self.tables.table(part.table)
            switch table.source {
            case .files(let source): try await self.load(part, range, of: table, source, context)
            case .live(let prepared): try await self.load(part, range, of: table, prepared, context)
            }
            return PartOutcome()
        } catch {
            throw await self.failure(of: part, error)
        }
    }

    /// How often it was begun before.
    private static func attempt(_ part: JobPart) -> Int64 { Int64(max(0, part.beginnings - 1)) }

    private func load(
        _ part: JobPart,
        _ range: TokenRange,
        of table: LoadTable,
        _ source: SSTableSource,
        _ context: PartContext
    ) async throws {
        let filePart = FilePart(
            source,
            to: table.target,
            ceiling: self.settings.ceiling,
            attempt: Self.attempt(part),
            limits: self.settings.checkpoints,
            now: Self.now
        )
        try await self.withWriter(for: table) { writer in
            var claimed = FilePart.Counts()
            _ = try await filePart.run(after: range.start, through: range.end, into: writer) { token, counts in
                var tally = LoadTally()
                tally.add(counts, since: claimed)
                self.meter.add(tally, to: table.name)
                try await context.checkpoint(
                    at: token,
                    rows: Int64(counts.rows - claimed.rows),
                    bytes: Int64(counts.bytes - claimed.bytes)
                )
                claimed = counts
            }
        }
    }

    private func load(
        _ part: JobPart,
        _ range: TokenRange,
        of table: LoadTable,
        _ prepared: LiveSelect.Prepared,
        _ context: PartContext
    ) async throws {
        let session = self.sessions.source ?? self.sessions.target
        let reader = LiveReader(
            prepared,
            on: session,
            after: range.start,
            through: range.end,
            options: self.settings.reading
        )
        var options = LiveStatements.Options(beginning: self.began)
        options.ceiling = self.settings.ceiling
        options.untoldTime = self.settings.untoldTime
        options.markers = self.settings.markers
        options.attempt = Self.attempt(part)
        var copy = LiveCopy(prepared, table.target, options, counting: self.sessions.target)
        try await self.withWriter(for: table) { writer in
            var done = LiveCopy.Done(through: range.start)
            do {
                for try await page in reader {
                    try Task.checkCancellation()
                    self.meter.add(try await copy.write(page, now: Self.now, to: writer), to: table.name)
                    done.rows += page.rowCount
                    done.bytes += page.byteCount
                    // What has no token of its own behind it yet is claimed with what follows.
                    guard let through = page.completeThrough, through > done.through, through < range.end,
                        done.bytes >= self.settings.checkpoints.checkpointBytes
                            || done.rows >= self.settings.checkpoints.checkpointPartitions
                    else { continue }
                    try await writer.drain()
                    try await done.claim(through, context)
                }
            } catch let error as LiveReadError {
                // What came before is not to be read again, whoever goes on with the rest.
                guard let through = error.remaining?.start, through > done.through else { throw error }
                try await writer.drain()
                try await done.claim(through, context)
                throw error
            }
            try await writer.drain()
            try await done.claim(range.end, context)
        }
    }

    private func withWriter(for table: LoadTable, _ body: (TargetWriter) async throws -> Void) async throws {
        var target = TargetWriter.Target(session: self.sessions.target, deadLetters: self.letters, now: Self.now)
        target.consistency = self.settings.writeConsistency
        target.prepared = self.prepared
        target.pace = self.pace
        // The limit is the worker's, whichever part has used it up.
        var bounds = self.settings.writer
        bounds.deadLettersMax = max(0, bounds.deadLettersMax - self.letters.count)
        let limits = bounds
        try await self.pace.withWriter {
            try await TargetWriter.withWriter(
                for: table.target,
                keyTypes: table.keyTypes,
                to: target,
                limits: limits
            ) { writer in
                defer {
                    var tally = LoadTally()
                    (tally.retries, tally.deadLetters) = (writer.counts.retries, writer.counts.deadLetters)
                    self.meter.add(tally, to: table.name)
                }
                try await body(writer)
                try await writer.drain()
            }
        }
    }

    /// Seconds since 1970.
    @Sendable private static func now() -> Int64 { SQLiteJobStore.wallClock() / 1_000 }

    // MARK: Failures

    /// What a failure means for its part.
    private func failure(of part: JobPart, _ error: any Error) async -> any Error {
        if error is CancellationError || Task.isCancelled { return error }
        if let error = error as? TokenRangesError, error.code == .leaseLost { return error }
        let failure = Self.failure(error)
        // Perhaps the schema is another one by now.
        await self.tables.forget(part.table)
        self.meter.note(
            LoadFailure(
                keyspace: part.table.keyspace,
                table: part.table.table,
                range: LoadRange(part.remainder ?? part.range),
                reason: failure.reason,
                at: Self.now()
            )
        )
        return failure
    }

    private static func failure(_ error: any Error) -> PartFailure {
        switch error {
        case let error as PartFailure: return error
        case let error as LiveReadError where error.code == .needsSplit:
            return .split(into: Self.piecesOfSplit, error.description)
        case let error as LiveReadError where error.code == .refused: return .retry(error.description)
        case let error as TargetWriterError where error.code != .tooManyLetters: return .retry(error.description)
        // A system call may fail for a while (a network file system, too many open files); what is wrong in a file stays so.
        case let error as SSTableError where error.code == .system: return .retry(error.description)
        case is LiveReadError, is TargetWriterError, is SSTableError, is TargetTableError: return .fatal("\(error)")
        default: return .retry("\(error)")
        }
    }
}

/// Statements of pages of a live table, and how far they are.
struct LiveCopy {
    /// What was read since the last checkpoint.
    struct Done {
        /// The last checkpoint.
        var through: Int64
        var rows = 0
        var bytes = 0

        /// Moves the checkpoint; everything up to it must be acknowledged.
        mutating func claim(_ token: Int64, _ context: PartContext) async throws {
            try await context.checkpoint(at: token, rows: Int64(self.rows), bytes: Int64(self.bytes))
            self = Done(through: token)
        }
    }

    private var statements: LiveStatements
    private var counters: LiveCounters?
    private let target: CQLSession

    init(
        _ prepared: LiveSelect.Prepared,
        _ target: TargetTable,
        _ options: LiveStatements.Options,
        counting session: CQLSession
    ) {
        let source = prepared.select.table
        self.statements = LiveStatements(source, target, options)
        self.counters = source.isCounter ? LiveCounters(source, target) : nil
        self.target = session
    }

    /// Writes a page; returns what came of it.
    mutating func write(_ page: LivePage, now: () -> Int64, to writer: TargetWriter) async throws -> LoadTally {
        var tally = LoadTally()
        try writer.bury(page.unloadable, key: ByteBuffer())
        for part in page.parts {
            var translation = Translation()
            if let added = try await self.counters?.statements(for: part, readingFrom: self.target) {
                translation.statements = added
            } else {
                self.statements.add(part, readAt: page.readAt, now: now(), into: &translation)
            }
            let key = part.keyBytes
            try writer.bury(translation.unloadable, key: key)
            try await writer.write(translation.statements, key: key)
            tally.add(translation)
        }
        return tally
    }
}

extension LivePart {
    /// The key as servers route by it: a single value alone, several each with its length before it and a zero behind it
    /// (Cassandra's `CompositeType`).
    var keyBytes: ByteBuffer {
        if self.key.count == 1 { return self.key[0] }
        var bytes = ByteBuffer()
        for value in self.key {
            bytes.writeInteger(UInt16(truncatingIfNeeded: value.readableBytes))
            bytes.writeImmutableBuffer(value)
            bytes.writeInteger(0 as UInt8)
        }
        return bytes
    }
}
