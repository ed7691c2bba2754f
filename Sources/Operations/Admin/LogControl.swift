/// What the admin port asks of the service about its log. The service implements it.
public protocol LogControl: Sendable {
    /// What is logged.
    func logs() async -> LogsDocument

    /// Changes it for a while.
    func change(_ change: LogsChange) async throws(AdminError) -> LogsDocument
}
