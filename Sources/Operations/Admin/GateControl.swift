/// What the admin port asks of the service about whether a step is safe, and what was done. The service implements it.
public protocol GateControl: Sendable {
    /// Whether a step is safe; nil asks about the next one forward.
    func verdict(to mode: String?) async throws(AdminError) -> VerdictDocument

    /// Takes the step that undoes the last one.
    func rollBack(_ rollback: Rollback) async throws(AdminError) -> RollbackDocument

    /// What other services have reported.
    func reports() async -> ReportsDocument

    /// Keeps what a loader reports; returns when the disk has it.
    func keep(_ report: LoadReport) async throws(AdminError) -> ReportsDocument

    /// Keeps what a reader reports; returns when the disk has it.
    func keep(_ report: ComparisonReport) async throws(AdminError) -> ReportsDocument

    /// Forgets what was reported of a load: by its job's name.
    func forgetLoad(_ job: String, by: String) async throws(AdminError) -> ReportsDocument

    /// The newest changes, newest first.
    func audit(max: Int) async -> AuditDocument
}
