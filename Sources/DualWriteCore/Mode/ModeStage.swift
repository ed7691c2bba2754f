/// A place on the way of a migration, as several replicas walk it together: a write mode, and between DualWriteSync and
/// ShadowPrimary one more, in which reads are answered by the target already while writes still wait for both clusters.
///
/// Two replicas may be one stage apart for a moment. In DualWriteSync beside ShadowPrimary one could read from the source what
/// the other has acknowledged on the target alone; with the stage between them neither can.
public enum ModeStage: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// The mode of that name, as the others that have the name of a mode.
    case primaryOnly = 0
    /// See ``WriteMode/dualWriteAsync``.
    case dualWriteAsync = 1
    /// See ``WriteMode/dualWriteSync``.
    case dualWriteSync = 2
    /// Writes as in DualWriteSync, reads from the target.
    case readsFirst = 3
    /// See ``WriteMode/shadowPrimary``.
    case shadowPrimary = 4
    /// See ``WriteMode/targetOnly``.
    case targetOnly = 5

    /// The stage of a mode in which nothing is under way.
    public init(_ mode: WriteMode) {
        self =
            switch mode {
            case .primaryOnly: .primaryOnly
            case .dualWriteAsync: .dualWriteAsync
            case .dualWriteSync: .dualWriteSync
            case .shadowPrimary: .shadowPrimary
            case .targetOnly: .targetOnly
            }
    }

    /// The stage of a name; nil where there is none.
    public init?(name: String) {
        guard let stage = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = stage
    }

    /// How writes are handled.
    public var mode: WriteMode {
        switch self {
        case .primaryOnly: .primaryOnly
        case .dualWriteAsync: .dualWriteAsync
        case .dualWriteSync, .readsFirst: .dualWriteSync
        case .shadowPrimary: .shadowPrimary
        case .targetOnly: .targetOnly
        }
    }

    /// The cluster that answers reads.
    public var reads: Cluster { self == .readsFirst ? .target : self.mode.primary }

    /// The name of the mode, or `ReadsFirst`.
    public var name: String { self == .readsFirst ? "ReadsFirst" : self.mode.name }

    /// The same as ``name``.
    public var description: String { self.name }

    /// How many stages lie between two of them, the last one included.
    public func distance(to other: Self) -> Int { abs(Int(self.rawValue) - Int(other.rawValue)) }

    /// The next stage on the way to a mode; nil where it is in force.
    public func next(toward mode: WriteMode) -> Self? {
        let goal = Self(mode)
        guard goal != self else { return nil }
        return Self(rawValue: goal.rawValue > self.rawValue ? self.rawValue + 1 : self.rawValue - 1)
    }

    /// Whether a cluster answers reads or writes in another stage that it does not answer in this one.
    public func isAnsweredAnew(by cluster: Cluster, in other: Self) -> Bool {
        other.reads == cluster && self.reads != cluster
            || other.mode.primary == cluster && self.mode.primary != cluster
    }

    /// The stage between two of them that have exactly one between them; nil for all others.
    public func between(_ other: Self) -> Self? {
        self.distance(to: other) == 2 ? Self(rawValue: (self.rawValue + other.rawValue) / 2) : nil
    }
}
