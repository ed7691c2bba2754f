/// One value for each cluster.
@frozen
public struct PerCluster<Value> {
    @usableFromInline var source: Value
    @usableFromInline var target: Value

    /// Two values.
    @inlinable
    public init(source: Value, target: Value) { (self.source, self.target) = (source, target) }

    /// The same value for both.
    @inlinable
    public init(both value: Value) { self.init(source: value, target: value) }

    /// The value of a cluster.
    public subscript(cluster: Cluster) -> Value {
        @inlinable get { cluster == .source ? self.source : self.target }
        @inlinable _modify { if cluster == .source { yield &self.source } else { yield &self.target } }
    }
}

extension PerCluster: Sendable where Value: Sendable {}
