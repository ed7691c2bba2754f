/// The bounds of the metrics registry.
public struct MetricsLimits: Sendable {
    /// Label sets per metric name. A handle asked for beyond it shares one sample whose label values are all `other`, so a
    /// value that comes from outside (a table, a node) can never grow the page without end.
    public var labelSetsPerMetricMax = 256

    /// Metric names that can be made through the factory; a handle asked for beyond it measures nothing and is counted.
    public var metricsMax = 1_024

    /// The limits documented on each property.
    public init() {}
}
