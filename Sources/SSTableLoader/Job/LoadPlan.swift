public import TokenRanges

/// What a job would do: the answer of a dry run. It is made by reading schemas, names of files and sizes alone.
public struct LoadPlan: Sendable, Hashable, Codable {
    /// One table.
    public struct Table: Sendable, Hashable, Codable {
        /// The keyspace.
        public internal(set) var keyspace: String
        /// The table.
        public internal(set) var table: String
        /// The SSTables that hold it; nil for a live source.
        public internal(set) var sstables: Int?
        /// Bytes of the data: of SSTables those of their data files without compression, of a live source what its nodes
        /// estimate. Nil where nobody tells.
        public internal(set) var bytes: Int64?
        /// Rows as SSTables count them; rows that are in several of them count several times. Nil where nobody tells.
        public internal(set) var rows: Int64?
        /// Parts that it is cut into.
        public internal(set) var parts: Int
        /// What an operator should know before it is loaded.
        public internal(set) var care: [String] = []
        /// Why it cannot be loaded; its parts will fail with this, and the others are loaded all the same.
        public internal(set) var failure: String?

        /// Its name.
        public var name: TableName { TableName(keyspace: self.keyspace, table: self.table) }
    }

    /// Something and what is the matter with it.
    public struct Notice: Sendable, Hashable, Codable {
        /// The table, file or folder.
        public let what: String
        /// Why, and what to do.
        public let reason: String
    }

    /// The job's name.
    public internal(set) var job: String
    /// Where the rows come from, for people.
    public internal(set) var source: String
    /// Where they go, for people.
    public internal(set) var target: String
    /// Nothing newer is written, in microseconds since 1970; nil for no limit.
    public internal(set) var ceiling: Int64?
    /// The tables by name.
    public internal(set) var tables: [Table] = []
    /// What ought to be loaded and cannot be: data is missing without it, and the job's end will not be a success.
    public internal(set) var problems: [Notice] = []
    /// What is left out on purpose.
    public internal(set) var leftOut: [Notice] = []
    /// What an operator should know of the job as a whole.
    public internal(set) var care: [String] = []
    /// How long it takes at least by the limits of rate, in seconds; nil where there is no limit of bytes, or no size is known.
    public internal(set) var secondsMin: Double?

    /// The parts of all tables.
    public var parts: Int { self.tables.reduce(0) { $0 + $1.parts } }
    /// Bytes of all tables; nil where one does not tell.
    public var bytes: Int64? {
        self.tables.reduce(0 as Int64?) { sum, table in
            guard let sum, let bytes = table.bytes else { return nil }
            let (total, isOverflow) = sum.addingReportingOverflow(bytes)
            return isOverflow ? .max : total
        }
    }
    /// Why there is no table; nil where there is one.
    public var whyNothing: String? {
        guard self.tables.isEmpty else { return nil }
        guard let first = self.problems.first ?? self.leftOut.first else {
            return "there is nothing in \(self.source); of files, name the folder of a table, of a keyspace, or a data "
                + "directory"
        }
        let count = self.problems.count + self.leftOut.count
        let others = count > 1 ? ", and \(count - 1) more (sstable-loader plan lists them)" : ""
        let what = self.problems.isEmpty ? "all that is in \(self.source) is left out" : "nothing of it can be loaded"
        return "\(what): \(first.what): \(first.reason)\(others)"
    }
    /// Whether everything that is wanted can be loaded.
    public var isLoadable: Bool {
        !self.tables.isEmpty && self.problems.isEmpty && self.tables.allSatisfy { $0.failure == nil }
    }
}

extension LoadPlan: CustomStringConvertible {
    /// The plan for people, without a line break at the end.
    public var description: String {
        var lines = ["job \(self.job): from \(self.source) to \(self.target)"]
        lines.append(self.ceiling.map { "nothing newer than \($0) µs is written" } ?? "no ceiling")
        lines += self.care.map { "care: \($0)" }
        for table in self.tables {
            lines.append("table \(table.name): \(table.size)")
            if let failure = table.failure { lines.append("  cannot be loaded: \(failure)") }
            lines += table.care.map { "  care: \($0)" }
        }
        lines += self.problems.map { "problem: \($0.what): \($0.reason)" }
        lines += self.leftOut.map { "left out: \($0.what): \($0.reason)" }
        if let reason = self.whyNothing { lines.append("nothing to load: \(reason)") }
        let (tables, parts) = (self.tables.count, self.parts)
        var total =
            "in all: \(tables) \(tables == 1 ? "table" : "tables"), \(parts) \(parts == 1 ? "part" : "parts"), "
            + Self.text(bytes: self.bytes)
        if let secondsMin { total += ", at least \(Int64(secondsMin.rounded(.up))) s by the limit of bytes" }
        return (lines + [total]).joined(separator: "\n")
    }

    /// A number of bytes with the unit that suits it.
    static func text(bytes: Int64?) -> String {
        guard let bytes else { return "an unknown number of bytes" }
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var (value, unit) = (Double(bytes), 0)
        while value >= 1_024, unit + 1 < units.count { (value, unit) = (value / 1_024, unit + 1) }
        guard unit > 0 else { return "\(bytes) B" }
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}

extension LoadPlan.Table {
    fileprivate var size: String {
        var words: [String] = []
        if let sstables { words.append("\(sstables) \(sstables == 1 ? "SSTable" : "SSTables")") }
        words.append(LoadPlan.text(bytes: self.bytes))
        if let rows { words.append("\(rows) rows") }
        words.append("\(self.parts) \(self.parts == 1 ? "part" : "parts")")
        return words.joined(separator: ", ")
    }
}
