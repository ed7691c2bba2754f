/// The values of one scrape, gathered family by family and written as Prometheus text.
///
/// A page holds at most ``MetricsLimits/labelSetsPerMetricMax`` samples per name: what comes after that is left out and
/// counted in `cluster_sync_metrics_dropped_samples`.
public struct MetricsPage: Sendable {
    private let limits: MetricsLimits
    private var families: [String: MetricFamily] = [:]
    private(set) var dropped: UInt64

    init(limits: MetricsLimits, dropped: UInt64 = 0) {
        self.limits = limits
        self.dropped = dropped
    }

    /// Adds a value that only grows.
    public mutating func counter(_ name: String, help: String, labels: [MetricLabel] = [], _ value: UInt64) {
        self.add(.unsigned(value), to: name, kind: .counter, help: help, labels: labels)
    }

    /// Adds a count of seconds, which has fractions.
    public mutating func counter(_ name: String, help: String, labels: [MetricLabel] = [], seconds: Double) {
        self.add(.double(seconds), to: name, kind: .counter, help: help, labels: labels)
    }

    /// Adds a value that goes up and down.
    public mutating func gauge(_ name: String, help: String, labels: [MetricLabel] = [], _ value: Double) {
        self.add(.double(value), to: name, kind: .gauge, help: help, labels: labels)
    }

    /// Adds a value under a name of old that is wrong for its kind; nothing new is exposed so.
    public mutating func untyped(_ name: String, help: String, labels: [MetricLabel] = [], _ value: UInt64) {
        self.add(.unsigned(value), to: name, kind: .untyped, help: help, labels: labels)
    }

    /// Adds a histogram.
    public mutating func histogram(
        _ name: String,
        help: String,
        labels: [MetricLabel] = [],
        _ snapshot: HistogramSnapshot
    ) {
        self.add(.histogram(snapshot), to: name, kind: .histogram, help: help, labels: labels)
    }

    mutating func add(_ value: MetricValue, to name: String, kind: MetricKind, help: String, labels: [MetricLabel]) {
        let name = MetricName.metric(name)
        var family = self.families[name] ?? MetricFamily(name: name, kind: kind, help: help)
        guard family.kind == kind, family.samples.count < self.limits.labelSetsPerMetricMax else {
            self.dropped += 1
            return
        }
        if family.help.isEmpty { family.help = help }
        family.samples.append(MetricSample(labels: labels, value: value))
        self.families[name] = family
    }

    /// The whole page, families in the order of their names, samples in the order in which they were added.
    func text() -> String {
        var page = ""
        page.reserveCapacity(16_384)
        for family in self.families.values.sorted(by: { $0.name < $1.name }) {
            Self.append(family, to: &page)
        }
        return page
    }

    private static func append(_ family: MetricFamily, to page: inout String) {
        if !family.help.isEmpty {
            page.append("# HELP \(family.name) ")
            MetricName.appendHelp(family.help, to: &page)
            page.append("\n")
        }
        page.append("# TYPE \(family.name) \(family.kind.rawValue)\n")
        for sample in family.samples {
            switch sample.value {
            case .integer(let value): self.appendLine(family.name, sample.labels, String(value), to: &page)
            case .unsigned(let value): self.appendLine(family.name, sample.labels, String(value), to: &page)
            case .double(let value): self.appendLine(family.name, sample.labels, MetricName.number(value), to: &page)
            case .histogram(let snapshot): self.append(snapshot, family.name, sample.labels, to: &page)
            }
        }
    }

    private static func append(
        _ snapshot: HistogramSnapshot,
        _ name: String,
        _ labels: [MetricLabel],
        to page: inout String
    ) {
        var total: UInt64 = 0
        for (index, count) in snapshot.counts.enumerated() {
            total &+= count
            let bound = index < snapshot.bounds.count ? MetricName.number(snapshot.bounds[index]) : "+Inf"
            self.appendLine(name + "_bucket", labels + [MetricLabel("le", bound)], String(total), to: &page)
        }
        self.appendLine(name + "_sum", labels, MetricName.number(snapshot.sum), to: &page)
        self.appendLine(name + "_count", labels, String(total), to: &page)
    }

    private static func appendLine(_ name: String, _ labels: [MetricLabel], _ value: String, to page: inout String) {
        page.append(name)
        if !labels.isEmpty {
            page.append("{")
            for (index, label) in labels.enumerated() {
                if index > 0 { page.append(",") }
                page.append("\(label.name)=\"")
                MetricName.appendLabelValue(label.value, to: &page)
                page.append("\"")
            }
            page.append("}")
        }
        page.append(" \(value)\n")
    }
}
