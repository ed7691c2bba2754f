/// What a metric is, in the words of the Prometheus text format.
public enum MetricKind: String, Sendable {
    /// Only ever grows while the process lives.
    case counter
    /// Goes up and down.
    case gauge
    /// Observations counted into buckets.
    case histogram
    /// A value under a name that the rules of its kind do not allow, kept because others read it.
    case untyped
}

/// One label of a sample. A name is fixed in the code; a value may come from outside and is escaped when it is written.
public struct MetricLabel: Sendable, Hashable {
    /// The label's name, `[a-zA-Z_][a-zA-Z0-9_]*`.
    public let name: String
    /// Its value; any text.
    public let value: String

    /// Creates a label; characters that a label name may not hold become `_`.
    public init(_ name: String, _ value: String) {
        self.name = MetricName.label(name)
        self.value = value
    }
}

/// Observations in buckets, as a histogram is exposed.
public struct HistogramSnapshot: Sendable, Equatable {
    /// The upper bounds of the buckets, ascending, without the last one, which is infinite.
    public var bounds: [Double]
    /// Observations per bucket, not cumulative: one entry more than there are bounds.
    public var counts: [UInt64]
    /// The sum of everything that was observed.
    public var sum: Double

    /// Creates a snapshot.
    /// - Precondition: `counts` has exactly one entry more than `bounds`.
    public init(bounds: [Double], counts: [UInt64], sum: Double) {
        precondition(counts.count == bounds.count + 1, "a histogram has one bucket more than it has bounds")
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }
}

/// The values that a sample can have.
enum MetricValue: Sendable, Equatable {
    case integer(Int64)
    case unsigned(UInt64)
    case double(Double)
    case histogram(HistogramSnapshot)
}

/// One labelled value of a family.
struct MetricSample: Sendable, Equatable {
    var labels: [MetricLabel]
    var value: MetricValue
}

/// Everything that is exposed under one name.
struct MetricFamily: Sendable {
    let name: String
    let kind: MetricKind
    var help: String
    var samples: [MetricSample] = []
}
