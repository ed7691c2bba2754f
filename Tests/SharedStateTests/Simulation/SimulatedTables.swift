import DualWriteCore
import SharedState
import TestSupport

/// What applications write and read while replicas change the modes of their tables: one partition a table, whose value only grows.
struct SimulatedTables {
    typealias Table = (keyspace: String, table: String)

    /// A copy that a replica has not delivered yet.
    struct Owed {
        var cluster: Cluster
        var place: Int
        var value: Int
    }

    /// The last one is named by no override but that of all tables.
    static let tables: [Table] = [("a", "x"), ("a", "y"), ("b", "x"), ("c", "z")]
    /// What overrides name here; of two of them that name a table one always names all of the other one's.
    private static let patterns = ["a.x", "a.y", "a.*", "b.x", "b.*", "*.*"]

    /// What each cluster has of each table.
    private var stored = PerCluster(both: [Int](repeating: 0, count: Self.tables.count))
    /// What somebody was told to be written.
    private var acknowledged = [Int](repeating: 0, count: Self.tables.count)
    private var last = 0
    private(set) var writes = 0

    static func stage(_ place: Int, _ modes: TableModes) -> ModeStage {
        modes.stage(keyspace: Self.tables[place].keyspace, table: Self.tables[place].table)
    }

    /// An application writes to a table; the replica answers when its mode lets it.
    mutating func write(_ place: Int, by modes: TableModes, _ owed: inout [Owed]) {
        let mode = Self.stage(place, modes).mode
        self.last += 1
        self.writes += 1
        self.stored[mode.primary][place] = self.last
        let other = mode.primary.other
        if mode.isJoin {
            self.stored[other][place] = self.last
        } else {
            // What a mode of one cluster writes comes to the other one by the bulk load, which is asked for as copies are.
            owed.append(Owed(cluster: other, place: place, value: self.last))
        }
        self.acknowledged[place] = self.last
    }

    mutating func deliver(_ copies: [Owed]) {
        for copy in copies {
            self.stored[copy.cluster][copy.place] = max(self.stored[copy.cluster][copy.place], copy.value)
        }
    }

    /// A table of which a replica would not read what was acknowledged; nil where there is none.
    func stale(_ modes: TableModes) -> String? {
        for (place, table) in Self.tables.enumerated() {
            let stage = Self.stage(place, modes)
            let found = self.stored[stage.reads][place]
            guard found < self.acknowledged[place] else { continue }
            return "\(table) in \(stage): it reads \(found) from the \(stage.reads), \(self.acknowledged[place]) was "
                + "acknowledged"
        }
        return nil
    }

    /// How far apart two replicas are, by the table that is farthest.
    static func distance(_ left: TableModes, _ right: TableModes) -> Int {
        self.tables.indices.reduce(0) { max($0, Self.stage($1, left).distance(to: Self.stage($1, right))) }
    }

    /// Why a replica with copies on their way cannot go to other modes: reads of a table would not find them.
    static func refusal(_ owed: [Owed], from: TableModes, to: TableModes) -> String? {
        for copy in owed {
            let (before, after) = (Self.stage(copy.place, from), Self.stage(copy.place, to))
            if after.reads == copy.cluster, before.reads != copy.cluster { return "\(copy) is owed" }
        }
        return nil
    }

    /// A list that an operator could wish for: mostly one stage away, now and then farther.
    static func wish(_ modes: TableModes, _ random: inout SeededRandom) -> ModeOverrides? {
        guard let pattern = try? TableFilter.Pattern(parsing: random.pick(Self.patterns)) else { return nil }
        if random.percent(30) { return modes.overrides.removing(pattern) }
        let now = modes.overrides.list.first { $0.tables == pattern }?.stage ?? modes.stage
        let near = random.percent(90)
        let stage = random.pick(ModeStage.allCases.filter { !near || $0.distance(to: now) <= 1 })
        return try? modes.overrides.setting(ModeOverride(pattern, stage))
    }
}
