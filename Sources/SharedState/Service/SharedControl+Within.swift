extension SharedControl {
    /// Does something for a time at most.
    ///
    /// - Throws: `CancellationError` when the time is over; what the work throws.
    static func within<Result: Sendable>(
        _ time: Duration,
        _ body: @Sendable @escaping () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: time)
                return nil
            }
            defer { group.cancelAll() }
            guard let result = try await group.next(), let result else { throw CancellationError() }
            return result
        }
    }
}
