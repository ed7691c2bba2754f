import Operations

extension SidecarControl: LogControl {
    func logs() async -> LogsDocument { await self.log.logs() }

    func change(_ change: LogsChange) async throws(AdminError) -> LogsDocument {
        try await self.log.change(change)
    }
}
