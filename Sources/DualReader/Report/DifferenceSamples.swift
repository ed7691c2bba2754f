import NIOCore

/// Some differences of each class, the first ones that came; memory is bounded whatever comes.
public struct DifferenceSamples: Sendable, Hashable {
    /// How many are kept of each class.
    public let perClassMax: Int
    /// Bytes of a value that are kept.
    public static var valueBytesMax: Int { 1_024 }
    /// Those that are kept, in the order in which they came.
    public private(set) var all: [Difference] = []
    private var counts = ClassCounts()

    /// None yet.
    public init(perClassMax: Int = 20) { self.perClassMax = max(0, perClassMax) }

    /// Keeps a difference where there is room for its class; long values are cut.
    public mutating func add(_ difference: Difference) {
        guard self.counts[difference.kind] < self.perClassMax else { return }
        self.counts[difference.kind] += 1
        var difference = difference
        difference.source?.cut(to: Self.valueBytesMax)
        difference.target?.cut(to: Self.valueBytesMax)
        self.all.append(difference)
    }

    /// Adds those of other ranges.
    public mutating func add(_ others: Self) {
        for difference in others.all { self.add(difference) }
    }
}

extension Difference.Content {
    fileprivate mutating func cut(to count: Int) {
        guard let value = self.value, value.readableBytes > count else { return }
        self.value = ByteBuffer(bytes: value.readableBytesView.prefix(count))
    }
}
