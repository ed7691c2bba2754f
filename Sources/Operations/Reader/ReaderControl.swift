/// What the reader's admin port asks of the reader. The command implements it; this module knows no cluster.
///
/// Every call may come at any time and several at once: what decides and what remembers the decision are one step (``ReaderRun``
/// does it so). None waits for a comparison to end.
public protocol ReaderControl: Sendable {
    /// Everything at one moment.
    func status() async -> ReaderStatus

    /// Whether it can be told to do something. That a cluster is away is no reason against.
    func readiness() async -> Readiness

    /// Begins a comparison and returns once it is accepted, long before it has ended.
    ///
    /// - Throws: ``AdminError/Code/alreadyRunning`` while one runs or is being stopped; ``AdminError/Code/invalidParameter`` for
    ///   a tenant where no column of tenants is configured.
    func start(_ start: ReaderStart) async throws(AdminError) -> ReaderActionDocument

    /// Ends the comparison; what it holds is given back, and the next one of the same goes on there.
    ///
    /// - Throws: ``AdminError/Code/notRunning`` where none runs.
    func stop(by: String, reason: String?) async throws(AdminError) -> ReaderActionDocument

    /// The differences that are remembered.
    ///
    /// - Parameter table: `keyspace.table`; nil for all.
    func discrepancies(of table: String?, max: Int) async -> DiscrepanciesDocument

    /// Forgets differences.
    func clear(_ clearing: DiscrepancyClearing) async throws(AdminError) -> DiscrepanciesClearedDocument

    /// Repairs the row of one difference, or says what that would write. Returns when it is done.
    ///
    /// - Throws: ``AdminError/Code/unknownDiscrepancy``, ``AdminError/Code/clusterUnreachable``,
    ///   ``AdminError/Code/alreadyRunning`` while another one is repaired.
    func reconcile(_ reconciliation: ReaderReconciliation) async throws(AdminError) -> ReconciledDocument

    /// What is compared, and what is left out.
    func filter() async -> ReaderFilterDocument
}
