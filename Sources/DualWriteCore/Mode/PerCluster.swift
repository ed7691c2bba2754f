/// One value for each cluster.
public struct PerCluster<Value> {
    private var source: Value
    private var target: Value

    /// Two values.
    public init(source: Value, target: Value) { (self.source, self.target) = (source, target) }

    /// The same value for both.
    public init(both value: Value) { self.init(source: value, target: value) }

    /// The value of a cluster.
    public subscript(cluster: Cluster) -> Value {
        @inline(__always) get { cluster == .source ? self.source : self.target }
        @inline(__always) _modify { if cluster == .source { yield &self.source } else { yield &self.target } }
    }
}

extension PerCluster: Sendable where Value: Sendable {}
