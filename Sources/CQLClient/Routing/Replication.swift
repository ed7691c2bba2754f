/// On how many nodes, and on which, a keyspace keeps each of its partitions.
public enum Replication: Sendable, Hashable {
    /// On the next `factor` nodes of the ring, whatever their data centre.
    case simple(factor: Int)
    /// On so many nodes of each data centre, in as many racks as there are.
    case perDatacenter([String: Int])
    /// On all nodes.
    case everywhere
    /// In tablets of ScyllaDB (or perhaps so), which move, and of which the ring tells nothing.
    case tablets
    /// Nowhere that could be told: tables that each node has for itself, strategies of other makers.
    case untold

    /// Reads the `replication` of a row of `system_schema.keyspaces`: the class of the strategy among its options.
    init(options: [String: String]) {
        switch options["class"]?.split(separator: ".").last {
        case "SimpleStrategy":
            self = options["replication_factor"].flatMap(Self.factor).map { .simple(factor: $0) } ?? .untold
        case "NetworkTopologyStrategy": self = .perDatacenter(options.compactMapValues(Self.factor))
        case "EverywhereStrategy": self = .everywhere
        case .some, nil: self = .untold
        }
    }

    /// `3`, or `3/1` where one of the three is transient (Cassandra 4.0): it keeps data for some time only, but takes part in
    /// placing.
    private static func factor(_ text: String) -> Int? {
        text.split(separator: "/").first.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }
}
