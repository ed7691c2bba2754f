public import CQLProtocol

/// A prepared statement of a session. It stays valid when nodes forget it: the session prepares it again.
public struct CQLStatement: Sendable, Hashable {
    /// The text.
    public let text: String
    /// The bind markers with their types.
    public let variables: PreparedMetadata
    /// The columns of its rows.
    public let columns: ResultMetadata
    /// Whether running it twice does no harm; only then it is sent again after an unknown outcome.
    public var isIdempotent: Bool
    let prepared: Prepared

    /// One partition that a request is about.
    struct Partition: Sendable {
        let keyspace: String
        let token: Int64
    }

    /// The partition of some values; nil where they do not tell it.
    func partition(_ values: [BoundValue]) -> Partition? {
        guard let keyspace = self.variables.markers.first?.keyspace,
            let token = RoutingKey(self.variables)?.token(of: values)
        else { return nil }
        return Partition(keyspace: keyspace, token: token)
    }

    /// Values in the order of the markers, as bytes of their types.
    ///
    /// - Throws: ``CQLSessionError`` where there are too many or too few, or one is not of its marker's type.
    public func bind(_ values: [CQLValue]) throws(CQLSessionError) -> [BoundValue] {
        let markers = self.variables.markers
        guard values.count == markers.count else {
            let text = "\(values.count) values for \(markers.count) bind markers"
            throw CQLSessionError(.protocolViolation, text, isSafeToRetry: false)
        }
        var bound: [BoundValue] = []
        for (value, marker) in zip(values, markers) {
            do throws(CQLProtocolError) {
                bound.append(try value.encoded(as: marker.type).map { .value($0) } ?? .null)
            } catch {
                let text = "the value of marker \(marker.name) is not of its type"
                throw CQLSessionError(.protocolViolation, text, isSafeToRetry: false)
            }
        }
        return bound
    }
}

/// What a cluster answered.
public struct CQLResult: Sendable, Hashable {
    /// The result.
    public let message: ResultMessage
    /// What the cluster warns of.
    public let warnings: [String]

    /// The rows, where it has some.
    public var rows: Rows? {
        if case .rows(let rows) = self.message { return rows }
        return nil
    }
}
