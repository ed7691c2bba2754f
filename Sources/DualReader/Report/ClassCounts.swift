/// How many differences there are of each class.
public struct ClassCounts: Sendable, Hashable {
    /// In place, as one is made for each partition.
    private var counts = SIMD8<Int>.zero

    /// None.
    public init() {}

    /// The number of one class.
    public subscript(_ kind: Difference.Class) -> Int {
        get { self.counts[Self.index(kind)] }
        set { self.counts[Self.index(kind)] = newValue }
    }

    /// All of them.
    public var total: Int { self.counts.wrappedSum() }

    /// Adds those of another part.
    public static func += (left: inout Self, right: Self) {
        left.counts &+= right.counts
    }

    private static func index(_ kind: Difference.Class) -> Int {
        switch kind {
        case .missingOnTarget: 0
        case .missingOnSource: 1
        case .value: 2
        case .timeToLive: 3
        case .writetime: 4
        case .staticColumn: 5
        case .collectionElement: 6
        case .counter: 7
        }
    }
}
