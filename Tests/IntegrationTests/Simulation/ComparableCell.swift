import EmbeddedNode

/// What must be the same on both clusters of an entry of their stores.
struct ComparableCell: Hashable, CustomStringConvertible {
    private let kind: StoredCell.Kind
    private let clustering: [[UInt8]]
    private let path: [UInt8]
    /// Zero where the clusters' own clocks count.
    private let timestamp: Int64
    private let value: [UInt8]?
    /// A late copy has a shorter life, rounded to seconds: told apart by more than that.
    private let end: Int64

    /// The allowance for rounding.
    static var roundingSeconds: Int64 { 2 }

    private init(_ cell: StoredCell, keepsTime: Bool = true, keepsPath: Bool = true) {
        self.kind = cell.kind
        self.clustering = cell.clustering
        self.path = keepsPath ? cell.path : []
        self.timestamp = keepsTime ? cell.timestamp : 0
        self.value = cell.value
        self.end = cell.expiresAt
    }

    /// The entries of a partition in an order that is the same for the same entries.
    static func all(_ cells: [StoredCell], _ table: SimulatedTable) -> [ComparableCell] {
        switch table {
        case .plain, .stamped, .cleared:
            cells.map { ComparableCell($0) }.sorted { $0.order < $1.order }
        // Paxos has its own timestamps, and so have the counters of each cluster.
        case .conditional, .counters:
            cells.map { ComparableCell($0, keepsTime: false) }.sorted { $0.order < $1.order }
        // Each cluster numbers the elements itself; their order is what counts.
        case .lists: self.listElements(cells).map { ComparableCell($0, keepsPath: false) }
        }
    }

    /// The elements of a list in the order of their time UUIDs (RFC 4122 §4.1.4: the high bits of the time come last).
    static func listElements(_ cells: [StoredCell]) -> [StoredCell] {
        func ticks(_ path: [UInt8]) -> [UInt8] {
            guard path.count == 16 else { return path }
            return [path[6] & 0x0f, path[7]] + path[4..<6] + path[0..<4] + path[8...]
        }
        return cells.filter { !$0.path.isEmpty }.sorted { ticks($0.path).lexicographicallyPrecedes(ticks($1.path)) }
    }

    /// - Parameter lifeSecondsOff: by how much the ends of two lives may differ.
    static func areEqual(_ left: [ComparableCell], _ right: [ComparableCell], lifeSecondsOff: Int64) -> Bool {
        left.count == right.count
            && zip(left, right).allSatisfy { left, right in
                left.kind == right.kind && left.clustering == right.clustering && left.path == right.path
                    && left.timestamp == right.timestamp && left.value == right.value
                    && abs(left.end - right.end) <= lifeSecondsOff
            }
    }

    private var order: String { "\(self.clustering) \(self.kind) \(self.path)" }

    var description: String {
        let value = self.value.map { String(decoding: $0, as: UTF8.self) } ?? "nothing"
        return "\(self.clustering.map { $0.last ?? 0 }) \(self.kind) = \(value) @\(self.timestamp)"
            + (self.end == 0 ? "" : " until \(self.end)")
    }
}
