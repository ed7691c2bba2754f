import CoreMetrics
import Synchronization

/// A counter that any thread may increment.
final class CounterCell: CounterHandler, Sendable {
    private let count = Atomic<Int64>(0)

    var value: Int64 { self.count.load(ordering: .relaxed) }

    func increment(by amount: Int64) { self.count.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { self.count.store(0, ordering: .relaxed) }
}

/// A counter of fractions.
final class FloatingPointCounterCell: FloatingPointCounterHandler, Sendable {
    private let sum = Mutex<Double>(0)

    var value: Double { self.sum.withLock { $0 } }

    func increment(by amount: Double) { self.sum.withLock { $0 += amount } }
    func reset() { self.sum.withLock { $0 = 0 } }
}

/// A value that goes up and down; also what a recorder without aggregation is.
final class GaugeCell: MeterHandler, RecorderHandler, Sendable {
    private let current = Mutex<Double>(0)

    var value: Double { self.current.withLock { $0 } }

    func set(_ value: Int64) { self.set(Double(value)) }
    func set(_ value: Double) { self.current.withLock { $0 = value } }
    func increment(by amount: Double) { self.current.withLock { $0 += amount } }
    func decrement(by amount: Double) { self.current.withLock { $0 -= amount } }
    func record(_ value: Int64) { self.set(Double(value)) }
    func record(_ value: Double) { self.set(value) }
}

/// Observations in buckets; what a timer (in seconds) and an aggregating recorder are.
final class HistogramCell: RecorderHandler, TimerHandler, Sendable {
    /// Latencies from a quarter of a millisecond to ten seconds.
    static var secondsBounds: [Double] {
        [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
    }

    /// Sizes and amounts, in powers of ten.
    static var amountBounds: [Double] { [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000] }

    private let state: Mutex<HistogramSnapshot>

    init(bounds: [Double]) {
        self.state = Mutex(
            HistogramSnapshot(bounds: bounds, counts: [UInt64](repeating: 0, count: bounds.count + 1), sum: 0)
        )
    }

    var snapshot: HistogramSnapshot { self.state.withLock { $0 } }

    func record(_ value: Int64) { self.record(Double(value)) }

    func record(_ value: Double) {
        self.state.withLock { state in
            let bucket = state.bounds.firstIndex { value <= $0 } ?? state.bounds.count
            state.counts[bucket] &+= 1
            state.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) { self.record(Double(duration) / 1e9) }
}
