import CQLClient
import CQLProtocol
import CQLSyntax
import DualWriteCore

/// Requests about one partition go to a node that has it.
extension DualWriterLoop {
    /// How near a request came to its data.
    enum Reach: UInt8 {
        /// Nothing tells where its data is, or all nodes have it: a text, a statement whose key is not wholly bound, a keyspace
        /// that is not on the ring.
        case untold
        /// To a node that has it.
        case replica
        /// To another node, because none of those took it.
        case elsewhere
    }

    /// The connection for a request: to a node that has its data where that can be told, else to any.
    ///
    /// - Parameter attempt: from 0 on. From the second one on any node will do, as one that has just refused is not asked again.
    @inline(__always)
    func pick(
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        from pool: UpstreamPool,
        avoiding avoided: NodeID?,
        _ attempt: Int
    ) -> Uncounted<UpstreamConnection>? {
        guard pool.routesByToken, let route = self.route(of: request, to: cluster, in: pool) else {
            request[cluster].reach = .untold
            return Uncounted(pool.pick(avoiding: avoided))
        }
        if attempt == 0, let connection = pool.pick(route, avoiding: avoided) {
            request[cluster].reach = .replica
            return Uncounted(connection)
        }
        request[cluster].reach = .elsewhere
        return Uncounted(pool.pick(avoiding: avoided))
    }

    private func route(of request: ProxiedRequest, to cluster: Cluster, in pool: UpstreamPool) -> Route? {
        switch request.opcode {
        case .execute:
            guard let statement = request.statement, statement.isRouted(in: pool, of: cluster) else { return nil }
            // Both clusters know the key by the same bytes.
            if request.token == nil {
                request.token = RequestLayout.values(ofExecute: request.body.bytes).flatMap { statement.token(of: $0) }
            }
            return statement.routes[cluster].route(request.token)
        case .batch:
            // Any of its partitions will do, as the node that gets a batch sends its parts on.
            guard let values = RequestLayout.values(ofPreparedIn: request.body.bytes) else { return nil }
            for (statement, range) in zip(request.children, values) where statement.isRouted(in: pool, of: cluster) {
                let bytes = UnsafeRawBufferPointer(rebasing: request.body.bytes[range])
                if let route = statement.routes[cluster].route(statement.token(of: bytes)) { return route }
            }
            return nil
        default:
            return nil
        }
    }
}

extension PreparedStatement {
    /// Whether a cluster's pool has a use for tokens of the statement's partitions.
    @inline(__always)
    fileprivate func isRouted(in pool: UpstreamPool, of cluster: Cluster) -> Bool {
        self.routingKey != nil
            && self.routes[cluster].areKnown(of: self.analysis.keyspace ?? self.keyspace, in: pool)
    }

    @inline(__always)
    fileprivate func token(of values: UnsafeRawBufferPointer) -> Int64? {
        self.routingKey?.token(ofValuesIn: values)
    }
}

extension RequestLayout {
    /// The values of a walked EXECUTE that begins with an id of the proxy's own; nil where it has none, or has them by name.
    @inline(__always)
    static func values(ofExecute body: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let flagsOffset = 2 + StatementID.byteCount + 2
        let flags = Flags(rawValue: body[flagsOffset])
        guard flags.contains(.values), !flags.contains(.namedValues) else { return nil }
        return UnsafeRawBufferPointer(rebasing: body[(flagsOffset + 1)...])
    }

    /// Where the values of the prepared children of a decoded BATCH are, in their order (native protocol v4 §4.1.7).
    fileprivate static func values(ofPreparedIn body: UnsafeRawBufferPointer) -> [Range<Int>]? {
        var cursor = ByteCursor(body, at: 1)
        guard let count = cursor.uint16() else { return nil }
        var values: [Range<Int>] = []
        for _ in 0..<count {
            guard let kind = cursor.uint8() else { return nil }
            let isPrepared = kind == 1
            if isPrepared {
                guard cursor.takeString() != nil else { return nil }
            } else {
                guard let length = cursor.int32(), cursor.take(Int(length)) != nil else { return nil }
            }
            let start = cursor.offset
            guard let number = cursor.uint16() else { return nil }
            for _ in 0..<number { guard cursor.takeValue() else { return nil } }
            if isPrepared { values.append(start..<cursor.offset) }
        }
        return values
    }
}
