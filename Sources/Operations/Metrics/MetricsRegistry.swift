public import CoreMetrics
import Synchronization

/// The process's metrics: handles made through swift-metrics, and callbacks that add values at the moment of a scrape.
///
/// The data plane counts in plain integers per event loop and has no handle here: its owner registers a collector that
/// sums them when somebody looks. Everything else may use `Counter`, `Timer` and so on, after
/// `MetricsSystem.bootstrap(registry)`.
public final class MetricsRegistry: Sendable {
    /// Adds values to the page of one scrape. It may be called from several scrapes at once.
    public typealias Collector = @Sendable (_ page: inout MetricsPage) async -> Void

    /// The content type of ``render()``.
    public static var contentType: String { "text/plain; version=0.0.4; charset=utf-8" }

    enum Cell: Sendable {
        case counter(CounterCell)
        case floatingPointCounter(FloatingPointCounterCell)
        case gauge(GaugeCell)
        case histogram(HistogramCell)

        var kind: MetricKind {
            switch self {
            case .counter, .floatingPointCounter: .counter
            case .gauge: .gauge
            case .histogram: .histogram
            }
        }

        var value: MetricValue {
            switch self {
            case .counter(let cell): .integer(cell.value)
            case .floatingPointCounter(let cell): .double(cell.value)
            case .gauge(let cell): .double(cell.value)
            case .histogram(let cell): .histogram(cell.snapshot)
            }
        }
    }

    private struct Entry {
        let labels: [MetricLabel]
        let cell: Cell
    }

    private struct State {
        /// Entries per metric name, in the order in which they were made.
        var entries: [String: [Entry]] = [:]
        var help: [String: String] = [:]
        var collectors: [Collector] = []
        var refused: UInt64 = 0
    }

    private let limits: MetricsLimits
    private let state = Mutex(State())

    /// Creates an empty registry.
    public init(limits: MetricsLimits = MetricsLimits()) {
        self.limits = limits
    }

    /// Sets the HELP text of a metric that is made through the factory.
    public func describe(_ name: String, help: String) {
        self.state.withLock { $0.help[MetricName.metric(name)] = help }
    }

    /// Has `collector` called at every scrape.
    public func register(collector: @escaping Collector) {
        self.state.withLock { $0.collectors.append(collector) }
    }

    /// The page that `GET /metrics` serves.
    public func render() async -> String {
        let (entries, help, collectors, refused) = self.state.withLock {
            ($0.entries, $0.help, $0.collectors, $0.refused)
        }
        var page = MetricsPage(limits: self.limits, dropped: refused)
        for name in entries.keys.sorted() {
            for entry in entries[name] ?? [] {
                page.add(
                    entry.cell.value,
                    to: name,
                    kind: entry.cell.kind,
                    help: help[name] ?? "",
                    labels: entry.labels
                )
            }
        }
        for collector in collectors { await collector(&page) }
        page.gauge(
            "cluster_sync_metrics_dropped_samples",
            help: "Samples that a limit or a conflict of kinds kept off this page.",
            Double(page.dropped)
        )
        return page.text()
    }

    /// Finds the handle of a name and label set, or makes it.
    private func cell(_ label: String, _ dimensions: [(String, String)], make: () -> Cell) -> Cell {
        let name = MetricName.metric(label)
        var labels = dimensions.map { MetricLabel($0.0, $0.1) }
        return self.state.withLock { state in
            var known = state.entries[name] ?? []
            if known.isEmpty, state.entries.count >= self.limits.metricsMax {
                state.refused += 1
                return make()
            }
            if let entry = known.first(where: { $0.labels == labels }) { return entry.cell }
            // The last place is kept for the sample that everything beyond the limit shares.
            if known.count >= self.limits.labelSetsPerMetricMax - 1 {
                labels = labels.map { MetricLabel($0.name, "other") }
                if let entry = known.first(where: { $0.labels == labels }) { return entry.cell }
                if known.count >= self.limits.labelSetsPerMetricMax {
                    state.refused += 1
                    return make()
                }
            }
            let cell = make()
            known.append(Entry(labels: labels, cell: cell))
            state.entries[name] = known
            return cell
        }
    }

    private func remove(where matches: (Cell) -> Bool) {
        self.state.withLock { state in
            for (name, entries) in state.entries {
                let left = entries.filter { !matches($0.cell) }
                guard left.count != entries.count else { continue }
                state.entries[name] = left.isEmpty ? nil : left
            }
        }
    }
}

extension MetricsRegistry: MetricsFactory {
    // A name that is used with two kinds keeps the first one; the second handle works but is not exposed.

    /// A counter handle.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        if case .counter(let cell) = self.cell(label, dimensions, make: { .counter(CounterCell()) }) { return cell }
        return CounterCell()
    }

    /// A handle of a counter that holds fractions.
    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        let made = self.cell(label, dimensions) { .floatingPointCounter(FloatingPointCounterCell()) }
        if case .floatingPointCounter(let cell) = made { return cell }
        return FloatingPointCounterCell()
    }

    /// A gauge handle.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        if case .gauge(let cell) = self.cell(label, dimensions, make: { .gauge(GaugeCell()) }) { return cell }
        return GaugeCell()
    }

    /// A histogram handle, or a gauge where `aggregate` is false.
    public func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else {
            if case .gauge(let cell) = self.cell(label, dimensions, make: { .gauge(GaugeCell()) }) { return cell }
            return GaugeCell()
        }
        let bounds = HistogramCell.amountBounds
        let made = self.cell(label, dimensions) { .histogram(HistogramCell(bounds: bounds)) }
        if case .histogram(let cell) = made { return cell }
        return HistogramCell(bounds: bounds)
    }

    /// A histogram handle that counts seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let bounds = HistogramCell.secondsBounds
        let made = self.cell(label, dimensions) { .histogram(HistogramCell(bounds: bounds)) }
        if case .histogram(let cell) = made { return cell }
        return HistogramCell(bounds: bounds)
    }

    /// Takes a counter off the page.
    public func destroyCounter(_ handler: any CounterHandler) {
        self.remove { if case .counter(let cell) = $0 { cell === handler } else { false } }
    }

    /// Takes a counter off the page.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
        self.remove { if case .floatingPointCounter(let cell) = $0 { cell === handler } else { false } }
    }

    /// Takes a gauge off the page.
    public func destroyMeter(_ handler: any MeterHandler) {
        self.remove { if case .gauge(let cell) = $0 { cell === handler } else { false } }
    }

    /// Takes a recorder off the page.
    public func destroyRecorder(_ handler: any RecorderHandler) {
        self.remove {
            switch $0 {
            case .gauge(let cell): cell === handler
            case .histogram(let cell): cell === handler
            case .counter, .floatingPointCounter: false
            }
        }
    }

    /// Takes a timer off the page.
    public func destroyTimer(_ handler: any TimerHandler) {
        self.remove { if case .histogram(let cell) = $0 { cell === handler } else { false } }
    }
}
