import NIOCore

/// Turns rows of a live source into statements that write them with the timestamps and lives that the source tells.
///
/// Pure: time is passed in. What a source does not tell has a time by this rule, and is counted:
///
/// * A column that is kept in several cells, where the source does not tell their times, has the newest timestamp among the
///   row's other columns; without any, the ceiling. It ends with the last of the row's other columns, where all of them end;
///   without any, after the table's default.
/// * A row's marker, which no read shows, has the timestamp of the row's oldest cell and the longest life among those that
///   have this timestamp; without any cell, those of a column without times.
///
/// Nothing gets a timestamp above the ceiling, so that no deletion since then is undone.
public struct LiveStatements {
    /// What time a column has whose time the source does not tell.
    public enum UntoldTime: String, Sendable, Hashable {
        /// The newest of the row's other columns: the true one wherever a row was inserted as a whole.
        case newestOfRow
        /// The ceiling: right also where dual writing was interrupted, so that the target may hold deletions that are older
        /// than what the source has got since.
        case ceiling
    }

    /// Which rows get markers.
    public enum Markers: String, Sendable, Hashable {
        /// All, as INSERT leaves them.
        case always
        /// Those alone that nothing else keeps: for tables that are written by UPDATE, whose rows vanish with their columns.
        case withoutCells
    }

    /// What decides besides the table.
    public struct Options: Sendable {
        /// Nothing newer is written: since then dual writing has been active. In microseconds; nil for no limit.
        public var ceiling: Int64?
        /// When the job began, in microseconds: the ceiling's stead where there is none.
        public var beginning: Int64
        /// See ``UntoldTime``.
        public var untoldTime = UntoldTime.newestOfRow
        /// See ``Markers``.
        public var markers = Markers.always
        /// How often the range was begun before, below ``attemptsMax``. Lists that are written as a whole get a timestamp that is
        /// later by as many microseconds, so that they replace what an earlier attempt has left instead of standing beside it.
        public var attempt: Int64 = 0
        /// Elements of one collection in one statement at most.
        public var elementsPerStatementMax = 500

        /// Everything, in a job that began then.
        public init(beginning: Int64) { self.beginning = beginning }

        /// Attempts that can be told apart.
        public static var attemptsMax: Int64 { WholeList.attemptsMax }

        /// The newest timestamp that is written where none is known.
        var latest: Int64 { self.ceiling ?? self.beginning }
    }

    /// What is read.
    public let source: LiveTable
    /// What is written.
    public let target: TargetTable
    let options: Options
    var texts: StatementTexts
    private let statics: [LiveTable.Column]
    private let regulars: [LiveTable.Column]

    /// Statements for a table with these columns.
    public init(_ source: LiveTable, _ target: TargetTable, _ options: Options) {
        self.source = source
        self.target = target
        self.options = options
        self.texts = StatementTexts(target)
        self.statics = source.columns.filter(\.isStatic)
        self.regulars = source.columns.filter { !$0.isStatic }
    }

    /// The statements of a part of a partition.
    ///
    /// - Parameters:
    ///   - readAt: when the part was read, in seconds since 1970; see ``LivePage/readAt``.
    ///   - now: when it is written, in seconds since 1970: lives are shorter by the time between.
    public mutating func add(_ part: LivePart, readAt: Int64, now: Int64, into result: inout Translation) {
        let elapsed = Int32(clamping: max(0, now - readAt))
        if let statics = part.statics {
            let row = Row(part.key, [], self.statics, statics, isStatic: true, elapsed: elapsed)
            self.add(row, into: &result)
        }
        for row in part.rows {
            let row = Row(part.key, row.clustering, self.regulars, row.cells, isStatic: false, elapsed: elapsed)
            self.add(row, into: &result)
        }
    }

    /// A row, or the statics of a partition.
    struct Row {
        let key: [ByteBuffer]
        let clustering: [ByteBuffer]
        let cells: [(column: LiveTable.Column, cell: LiveCell)]
        let isStatic: Bool
        /// Seconds since it was read.
        let elapsed: Int32

        init(
            _ key: [ByteBuffer],
            _ clustering: [ByteBuffer],
            _ columns: [LiveTable.Column],
            _ cells: [LiveCell?],
            isStatic: Bool,
            elapsed: Int32
        ) {
            self.key = key
            self.clustering = clustering
            self.cells = zip(columns, cells).compactMap { column, cell in cell.map { (column, $0) } }
            self.isStatic = isStatic
            self.elapsed = elapsed
        }

        /// All times that the source tells.
        var times: [LiveTime] {
            self.cells.flatMap { _, cell -> [LiveTime] in
                switch cell.times {
                case .unknown: []
                case .one(let time): [time]
                case .each(let times): times.compactMap { $0 }
                }
            }
        }

        /// Seconds that are left by now: at least one, so that what has ended still covers what is older; 0 for ever.
        func timeLeft(_ time: LiveTime) -> Int32 {
            time.timeToLive == 0 ? 0 : max(1, time.timeToLive - self.elapsed)
        }
    }

    private mutating func add(_ row: Row, into result: inout Translation) {
        let times = row.times
        let untold = self.untold(times)
        var groups = RowGroups(elementsMax: self.options.elementsPerStatementMax)
        if !row.isStatic, self.options.markers == .always || row.cells.isEmpty {
            let marker = self.marker(times) ?? untold
            if row.cells.isEmpty { result.guessedMarkers += 1 }
            let timestamp = min(marker.timestamp, self.options.ceiling ?? .max)
            groups.begin(timestamp: timestamp, timeToLive: row.timeLeft(marker))
        }
        for (column, cell) in row.cells where self.target.columns.contains(column.name) {
            self.add(column, cell, of: row, untold: untold, &groups, &result)
        }
        for group in groups.writes {
            let statement = self.texts.statement(group, row.key, row.clustering, isStatic: row.isStatic)
            result.statements.append(statement)
        }
    }

    /// The time of what the source tells none of.
    private func untold(_ times: [LiveTime]) -> LiveTime {
        guard let newest = times.map(\.timestamp).max() else {
            return LiveTime(self.options.latest, timeToLive: self.source.defaultTimeToLive)
        }
        let life = times.contains { $0.timeToLive == 0 } ? 0 : times.map(\.timeToLive).max() ?? 0
        switch self.options.untoldTime {
        case .newestOfRow: return LiveTime(min(newest, self.options.ceiling ?? .max), timeToLive: life)
        case .ceiling: return LiveTime(self.options.latest, timeToLive: life)
        }
    }

    /// The time of the marker: INSERT left it with the oldest of what it wrote, and UPDATEs came after it.
    private func marker(_ times: [LiveTime]) -> LiveTime? {
        guard let oldest = times.map(\.timestamp).min() else { return nil }
        let lives = times.filter { $0.timestamp == oldest }.map(\.timeToLive)
        return LiveTime(oldest, timeToLive: lives.contains(0) ? 0 : lives.max() ?? 0)
    }

    func isWanted(_ timestamp: Int64, _ result: inout Translation) -> Bool {
        guard let ceiling = self.options.ceiling, timestamp > ceiling else { return true }
        result.aboveCeiling += 1
        return false
    }
}
