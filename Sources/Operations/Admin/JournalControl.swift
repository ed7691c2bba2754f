/// What the admin port asks of the service about what its clusters are owed. The service implements it.
public protocol JournalControl: Sendable {
    /// What each cluster is owed.
    func journal() async -> JournalDocument

    /// Reads all of the journal's files, and says what of them is damaged. One at a time.
    func verifyJournal() async throws(AdminError) -> JournalVerificationDocument

    /// The writes that a cluster, or either, has refused for good, the oldest first.
    func deadLetters(of cluster: String?, max: Int) async -> DeadLettersDocument

    /// Owes dead letters again, or forgets them.
    func change(_ change: DeadLettersChange) async throws(AdminError) -> DeadLettersChangeDocument

    /// The partitions in doubt.
    func dirty(_ question: DirtyQuestion) async throws(AdminError) -> DirtyDocument

    /// Takes partitions out of doubt.
    func clear(_ clearing: DirtyClearing) async throws(AdminError) -> DirtyClearingDocument

    /// Whether some partitions are still owed something.
    ///
    /// - Throws: ``AdminError/Code/busy`` where others ask: looking takes some of the time that clients have otherwise.
    func owed(_ question: OwedQuestion) async throws(AdminError) -> OwedDocument
}
