/// One of the two clusters of a migration: a fixed property, whatever role a write mode gives it.
public enum Cluster: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// The cluster that data moves away from.
    case source = 0
    /// The cluster that data moves to.
    case target = 1

    /// The opposite cluster.
    public var other: Cluster { self == .source ? .target : .source }

    /// `source` or `target`, as in configuration, metrics and logs.
    public var description: String { self == .source ? "source" : "target" }
}
