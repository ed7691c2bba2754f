import CQLProtocol
import CQLSyntax
import DualWriteCore

/// Tenants whose reads go ahead of their table: the target answers them, the source everybody else. Nothing of this is asked
/// where there are none.
extension DualWriterLoop {
    /// Lets a text go ahead where it reads rows of such a tenant.
    func sendAhead(_ request: ProxiedRequest, _ analysis: StatementAnalysis, _ body: UnsafeRawBufferPointer) {
        guard self.mayGoAhead(request),
            let plan = self.canaries?.plan(
                analysis,
                keyspace: request.identity?.key.keyspace,
                schema: self.schema
            )
        else { return }
        self.sendAhead(request, plan, body)
    }

    /// Lets a QUERY or EXECUTE go ahead where its values are those of such a tenant.
    func sendAhead(_ request: ProxiedRequest, _ plan: CanaryPlan, _ body: UnsafeRawBufferPointer) {
        guard self.mayGoAhead(request), self.isMet(plan, by: body, request.opcode) else { return }
        request.isCanary = true
        request.tableStage = .readsFirst
        request.plan = RoutePlan(kind: request.kind, stage: request.tableStage, policy: self.settings.policy)
    }

    /// Only DualWriteSync writes as ReadsFirst does, so that both clusters have what was acknowledged.
    private func mayGoAhead(_ request: ProxiedRequest) -> Bool {
        request.kind == .read && CanaryState(of: request.tableStage) == .ahead && self.canaryWait == .over
    }

    private func isMet(_ plan: CanaryPlan, by body: UnsafeRawBufferPointer, _ opcode: Opcode) -> Bool {
        if let constant = plan.constant { return constant }
        if opcode == .execute, let values = RequestLayout.values(ofExecute: body),
            let isMet = plan.isMet(byValuesIn: values)
        {
            return isMet
        }
        switch try? RequestRewriter.decode(body, opcode: opcode) {
        case .query(let query): return plan.isMet(by: query.parameters.values)
        case .execute(let execute): return plan.isMet(by: execute.parameters.values)
        case .batch, .startup, .authResponse, .options, .prepare, .register, nil: return false
        }
    }

    // MARK: After a change

    /// For what tenants wait that have come to DualWriteSync with their tables, or with the start of the process. Clients did not
    /// wait for the target before, or an earlier process has left something: it answers for none of them before it has what it
    /// was owed then.
    enum CanaryWait: Equatable {
        /// For nothing.
        case over
        /// Other loops may still write as before, or have not looked yet at what was left.
        case allLoops
        /// For what the target was owed at a moment, in milliseconds since 1970.
        case delivery(since: Int64)
    }

    /// All loops go by the new modes, and know what they owe.
    func allLoopsHaveChanged() {
        if self.canaryWait != .over { self.canaryWait = .delivery(since: self.wallMilliseconds) }
    }

    /// Ends their wait when the target has what it was owed. Called by the loop's regular sweep.
    func letCanariesGo() {
        guard case .delivery(let since) = self.canaryWait,
            self.comparisons.isDelivered(to: .target, since: since)
        else { return }
        self.canaryWait = .over
    }
}
