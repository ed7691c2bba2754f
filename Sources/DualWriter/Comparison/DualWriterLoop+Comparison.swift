import CQLClient
import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore

/// Reads of the proxy's own, to compare what the clusters have.
extension DualWriterLoop {
    /// What of a client's read is to be compared; nil where nothing is.
    func comparedRead(_ request: ProxiedRequest, _ layout: RequestLayout) -> ComparedRead? {
        // Such a read would take part in the shadow's conditional writes, of which it has none.
        guard layout.consistency != .serial, layout.consistency != .localSerial else { return nil }
        guard let (analysis, keyspace) = self.analysis(of: request, layout) else { return nil }
        // Of tables that are not wanted on the shadow it has nothing to compare.
        let filter = self.settings.filter
        guard filter.tables.wants(keyspace: analysis.keyspace ?? keyspace, table: analysis.table),
            filter.tenants.isOpen || self.readsWantedTenant(request, analysis, keyspace: keyspace)
        else { return nil }
        return ComparedRead(
            analysis,
            keyspace: keyspace,
            schema: self.schema,
            isSamePartitioner: self.clustersShareTokens
        )
    }

    /// Whether a read is known to be of rows that the shadow gets.
    private func readsWantedTenant(
        _ request: ProxiedRequest,
        _ analysis: StatementAnalysis,
        keyspace: String?
    ) -> Bool {
        let plan = TenantPlan(
            reading: analysis,
            keyspace: keyspace,
            rules: self.settings.filter.tenants,
            schema: self.schema
        )
        if let verdict = plan.constant { return verdict == .wanted }
        switch try? RequestRewriter.decode(request.body.bytes, opcode: request.opcode) {
        case .query(let query): return plan.verdicts(query.parameters.values) == [.wanted]
        case .execute(let execute): return plan.verdicts(execute.parameters.values) == [.wanted]
        case .batch, .startup, .authResponse, .options, .prepare, .register, nil: return false
        }
    }

    private func analysis(
        of request: ProxiedRequest,
        _ layout: RequestLayout
    ) -> (analysis: StatementAnalysis, keyspace: String?)? {
        if let statement = request.statement { return (statement.analysis, statement.keyspace) }
        let text = String(decoding: request.body.bytes[layout.subject], as: UTF8.self)
        return self.analyses.analysis(of: text).map { ($0, request.identity?.key.keyspace) }
    }

    /// Whether both clusters have their partitions in one order.
    private var clustersShareTokens: Bool {
        guard let source = self.topology(.source)?.local["partitioner"] else { return false }
        return source == self.topology(.target)?.local["partitioner"]
    }

    /// Sends the read of a comparison to a cluster; its answer comes to ``ReadComparisons/answered(_:_:_:_:)``.
    ///
    /// - Returns: false where it cannot be sent now.
    func read(_ comparison: ReadComparison, from cluster: Cluster) -> Bool {
        guard comparison.identity.pool(cluster)?.isReady == true,
            let request = self.requests.take(bytes: comparison.body.readableBytes)
        else { return false }
        request.stage = .comparison
        request.comparison = comparison
        request.identity = comparison.identity
        request.opcode = comparison.opcode
        request.statement = comparison.statement
        request.consistency = comparison.consistency
        request.flags = []
        request.kind = .read
        request.plan = .single(cluster)
        request.receivedAt = self.now
        request.deadline = self.now + Int64(self.settings.timeouts.readMilliseconds) * 1_000_000
        request.retain(comparison.body)
        self.send(request, to: cluster)
        return true
    }

    /// Puts into doubt what a comparison has found to differ, where it is known which partitions that are.
    func doubt(_ found: RowComparison, _ comparison: ReadComparison) {
        var keys = found.partitions
        if keys.isEmpty, let key = self.partition(of: comparison) { keys = [key] }
        for key in keys {
            let place = DirtyPartition.Place(
                keyspace: comparison.read.keyspace,
                table: comparison.read.table,
                key: key
            )
            self.store?.dirty.mark(place, on: comparison.shadow, .comparison, at: self.wallMilliseconds)
        }
    }

    /// The partition that a read names.
    private func partition(of comparison: ReadComparison) -> [UInt8]? {
        let message = comparison.body.withUnsafeReadableBytes {
            try? RequestRewriter.decode($0, opcode: comparison.opcode)
        }
        let analysis: StatementAnalysis?
        let values: QueryValues
        switch message {
        case .query(let query):
            (analysis, values) = (self.analyses.analysis(of: query.text), query.parameters.values)
        case .execute(let execute):
            (analysis, values) = (comparison.statement?.analysis, execute.parameters.values)
        default: return nil
        }
        return analysis.flatMap {
            PartitionPlan.partition(read: $0, keyspace: comparison.read.keyspace, values, schema: self.schema)?.key
        }
    }
}
