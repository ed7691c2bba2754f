/// The tables of a simulation: each kind of write has one, because each has its own idea of what is right.
enum SimulatedTable: String, CaseIterable, Sendable {
    /// Ordinary writes; the sidecar gives them their timestamps.
    case plain = "sim_plain"
    /// Ordinary writes with timestamps of the client's, in any order.
    case stamped = "sim_stamped"
    /// Conditional writes alone.
    case conditional = "sim_cas"
    /// Counters.
    case counters = "sim_counts"
    /// Lists that are appended to.
    case lists = "sim_lists"
    /// Rows that TRUNCATE takes away.
    case cleared = "sim_cleared"

    static let keyspace = "sim"

    var name: String { "\(Self.keyspace).\(self.rawValue)" }

    var definition: String {
        switch self {
        case .plain, .stamped: "p text, c int, a text, b text, PRIMARY KEY (p, c)"
        case .conditional, .cleared: "p text PRIMARY KEY, v text"
        case .counters: "p text PRIMARY KEY, n counter"
        case .lists: "p text PRIMARY KEY, l list<text>"
        }
    }

    /// Whether its writes may be sent again after nobody knows what became of them.
    var isRepeatable: Bool {
        switch self {
        case .plain, .stamped: true
        case .conditional, .counters, .lists, .cleared: false
        }
    }
}

/// One change of one partition.
enum SimulatedChange: Sendable {
    case insert(SimulatedTable, p: String, c: Int, a: String?, b: String?, timeToLive: Int?)
    case update(SimulatedTable, p: String, c: Int, column: String, value: String)
    case deleteColumn(SimulatedTable, p: String, c: Int, column: String)
    case deleteRow(SimulatedTable, p: String, c: Int)
    case deletePartition(SimulatedTable, p: String)
    case insertIfNotExists(p: String, value: String)
    case updateIf(p: String, value: String, expected: String)
    /// Adds 4 to the power of `digit`: each digit tells how often its increment was applied.
    case count(p: String, digit: Int)
    case append(p: String, value: String)
    case insertCleared(p: String, value: String)
    case truncate

    var table: SimulatedTable {
        switch self {
        case .insert(let table, _, _, _, _, _), .update(let table, _, _, _, _), .deleteColumn(let table, _, _, _),
            .deleteRow(let table, _, _), .deletePartition(let table, _):
            table
        case .insertIfNotExists, .updateIf: .conditional
        case .count: .counters
        case .append: .lists
        case .insertCleared, .truncate: .cleared
        }
    }

    /// The partition; nil for the whole table.
    var partition: String? {
        switch self {
        case .insert(_, let p, _, _, _, _), .update(_, let p, _, _, _), .deleteColumn(_, let p, _, _),
            .deleteRow(_, let p, _), .deletePartition(_, let p), .insertIfNotExists(let p, _), .updateIf(let p, _, _),
            .count(let p, _), .append(let p, _), .insertCleared(let p, _):
            p
        case .truncate: nil
        }
    }

    /// What becomes of a cell: nil where the change does not concern it.
    func effect(on cell: SimulatedCell) -> CellEffect? {
        guard self.table == cell.table, self.partition == nil || self.partition == cell.partition else { return nil }
        switch self {
        case .insert(_, _, let c, let a, let b, _):
            guard c == cell.row, let value = cell.column == "a" ? a : b else { return nil }
            return .value(value)
        case .update(_, _, let c, let column, let value):
            return c == cell.row && column == cell.column ? .value(value) : nil
        case .deleteColumn(_, _, let c, let column): return c == cell.row && column == cell.column ? .nothing : nil
        case .deleteRow(_, _, let c): return c == cell.row ? .nothing : nil
        case .deletePartition, .truncate: return .nothing
        case .insertIfNotExists(_, let value), .updateIf(_, let value, _), .insertCleared(_, let value),
            .append(_, let value):
            return .value(value)
        case .count: return nil
        }
    }
}

/// A column of a row of a simulation.
struct SimulatedCell: Hashable, Sendable, CustomStringConvertible {
    var table: SimulatedTable
    var partition: String
    var row: Int
    var column: String

    var description: String { "\(self.table.rawValue)[\(self.partition), \(self.row)].\(self.column)" }
}

/// What a change leaves in a cell.
enum CellEffect: Hashable, Sendable {
    case value(String)
    case nothing
}
