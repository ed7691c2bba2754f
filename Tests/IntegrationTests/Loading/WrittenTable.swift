import CQLProtocol
import NIOCore
import TestSupport

/// A table that a random workload writes, and the rows out of which it takes keys and values.
///
/// Values are bytes as some row has them, so that any table will do.
struct WrittenTable: Sendable {
    let name: String
    let partitionKey: [String]
    var clustering: [String] = []
    /// Static columns.
    var statics: [String] = []
    /// Other columns that are one cell.
    var columns: [String] = []
    /// Sets and maps of single cells.
    var sets: [String] = []
    var maps: [String] = []
    /// Whether a row has a marker wherever it has a cell. A live source shows no markers: each row gets one, which is right where
    /// rows are made by INSERT.
    var hasMarkers = false
    /// In the order of ``selected``.
    private(set) var pool: [[ByteBuffer?]] = []

    init(_ name: String, by partitionKey: [String]) {
        self.name = name
        self.partitionKey = partitionKey
    }

    private var key: [String] { self.partitionKey + self.clustering }
    private var cells: [String] { self.columns + self.sets + self.maps }
    private var selected: [String] { self.key + self.statics + self.cells }

    /// Takes the rows that a node has.
    mutating func fillPool(_ client: TestClient) async throws {
        let answer = try await client.ask(query("SELECT \(self.selected.joined(separator: ", ")) FROM \(self.name)"))
        guard case .result(.rows(let rows)) = answer else { throw Strange(answer: answer) }
        // Partitions without rows have statics alone.
        self.pool = rows.map(\.cells).filter { row in
            row[self.partitionKey.count..<self.key.count].allSatisfy { $0 != nil }
        }
    }

    struct Strange: Error { let answer: Response }

    // MARK: Statements

    /// A statement and the values of its markers.
    struct Change: Sendable, CustomStringConvertible {
        var text: String
        var values: [ByteBuffer?]

        var description: String { "\(self.text) \(self.values.map { $0.map { "\($0.readableBytesView)" } ?? "null" })" }

        func request(at timestamp: Int64? = nil) -> Request {
            var parameters = QueryParameters(consistency: .localQuorum)
            parameters.values = .positional(self.values.map { value in value.map { .value($0) } ?? .null })
            parameters.defaultTimestamp = timestamp
            return .query(Query(self.text, parameters: parameters))
        }
    }

    private func place(_ columns: [String]) -> String { columns.map { "\($0) = ?" }.joined(separator: " AND ") }

    /// The values of some columns in a row of the pool.
    private func values(_ columns: [String], _ row: [ByteBuffer?]) -> [ByteBuffer?] {
        columns.map { column in self.selected.firstIndex(of: column).flatMap { row[$0] } }
    }

    /// A random write or deletion of something whose key is in the pool.
    func change(_ random: inout SeededRandom) -> Change {
        let (row, other) = (random.pick(self.pool), random.pick(self.pool))
        let all = self.values(self.key, row)
        switch random.number(0...99) {
        case 0..<30: return self.insert(all, other, &random)
        case 30..<50:
            let column = random.pick(self.cells)
            return self.marked(
                Change(
                    text: "UPDATE \(self.name) SET \(column) = ? WHERE \(self.place(self.key))",
                    values: self.values([column], other) + all
                ),
                all
            )
        case 50..<65 where !(self.sets + self.maps).isEmpty:
            let column = random.pick(self.sets + self.maps)
            let isTaken = self.sets.contains(column) && random.percent(50)
            // An empty one is null, which nothing can be added to.
            guard let elements = self.values([column], other).first, let elements else {
                return self.insert(all, other, &random)
            }
            return self.marked(
                Change(
                    text: "UPDATE \(self.name) SET \(column) = \(column) \(isTaken ? "-" : "+") ? "
                        + "WHERE \(self.place(self.key))",
                    values: [elements] + all
                ),
                all
            )
        case 65..<72 where !self.statics.isEmpty:
            let column = random.pick(self.statics)
            return Change(
                text: "UPDATE \(self.name) SET \(column) = ? WHERE \(self.place(self.partitionKey))",
                values: self.values([column], other) + self.values(self.partitionKey, row)
            )
        case 72..<80:
            let column = random.pick(self.cells)
            return self.marked(
                Change(text: "DELETE \(column) FROM \(self.name) WHERE \(self.place(self.key))", values: all),
                all
            )
        case 80..<84:
            return Change(
                text: "DELETE FROM \(self.name) WHERE \(self.place(self.partitionKey))",
                values: self.values(self.partitionKey, row)
            )
        case 84..<90 where !self.clustering.isEmpty:
            let bound = random.pick([">", ">=", "<", "<="])
            let fixed =
                self.partitionKey + self.clustering.prefix(Int.random(in: 0..<self.clustering.count, using: &random))
            let column = self.clustering[fixed.count - self.partitionKey.count]
            return Change(
                text: "DELETE FROM \(self.name) WHERE \(self.place(fixed)) AND \(column) \(bound) ?",
                values: self.values(fixed + [column], row)
            )
        default:
            return Change(text: "DELETE FROM \(self.name) WHERE \(self.place(self.key))", values: all)
        }
    }

    private func insert(_ key: [ByteBuffer?], _ other: [ByteBuffer?], _ random: inout SeededRandom) -> Change {
        let columns = self.cells.filter { _ in random.percent(80) }
        let all = self.key + columns
        let life = random.percent(10) ? " USING TTL 200000" : ""
        return Change(
            text: "INSERT INTO \(self.name) (\(all.joined(separator: ", "))) VALUES ("
                + all.map { _ in "?" }.joined(separator: ", ") + ")\(life)",
            values: key + self.values(columns, other)
        )
    }

    /// The change with the row's marker, where the table's rows have them.
    private func marked(_ change: Change, _ key: [ByteBuffer?]) -> Change {
        guard self.hasMarkers else { return change }
        let names = self.key.joined(separator: ", ")
        let markers = self.key.map { _ in "?" }.joined(separator: ", ")
        return Change(
            text:
                "BEGIN UNLOGGED BATCH INSERT INTO \(self.name) (\(names)) VALUES (\(markers)); \(change.text); APPLY BATCH",
            values: key + change.values
        )
    }
}
