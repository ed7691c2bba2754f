import CQLProtocol

/// The text that reads a token range of a table cell by cell, and where in its rows what stands.
public struct LiveSelect: Sendable, Hashable {
    /// How a column is asked for its times.
    package enum Times: Sendable, Hashable {
        /// Not at all: the server does not tell.
        case untold
        /// `WRITETIME(c), TTL(c)`: one of each, or since Cassandra 5.0 lists of the elements'.
        case whole
        /// `WRITETIME(c.f), TTL(c.f)` of each field (ScyllaDB from 2026.2 on).
        case fields([String])
        /// By its elements or keys, in reads of their own for each row (ScyllaDB from 2026.2 on).
        case byKey
    }

    /// The table.
    public let table: LiveTable
    /// The text; its markers are the token behind which the range begins, and the one with which it ends.
    public let text: String
    /// By the places of the table's columns.
    package let times: [Times]
    /// The text without its conditions.
    package let selection: String

    /// The text for a table. What is not in `times` by its name is asked for one time, but for counters and for what is kept
    /// in several cells.
    init(_ table: LiveTable, times: [String: Times] = [:]) {
        self.table = table
        self.times = table.columns.map { column in
            times[column.name] ?? (column.storage == .cell ? .whole : .untold)
        }
        func quoted(_ name: String) -> String { StatementTexts.Target.quoted(name) }
        let key = table.partitionKey.map(quoted)
        var selected = key + table.clustering.map { quoted($0.name) }
        for (column, times) in zip(table.columns, self.times) {
            let name = quoted(column.name)
            selected.append(name)
            switch times {
            case .untold, .byKey: break
            case .whole: selected += ["WRITETIME(\(name))", "TTL(\(name))"]
            case .fields(let fields):
                for field in fields {
                    selected += ["WRITETIME(\(name).\(quoted(field)))", "TTL(\(name).\(quoted(field)))"]
                }
            }
        }
        let token = "token(\(key.joined(separator: ", ")))"
        self.selection =
            "SELECT \(selected.joined(separator: ", ")) FROM \(quoted(table.keyspace)).\(quoted(table.name))"
        self.text = "\(self.selection) WHERE \(token) > ? AND \(token) <= ?"
    }

    /// The names of columns whose elements' times the server does not tell; they get times by the rule of ``LiveStatements``.
    public var untold: [String] {
        zip(self.table.columns, self.times).filter { $0.0.storage != .counter && $0.1 == .untold }.map(\.0.name)
    }
}
