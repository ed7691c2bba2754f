import CQLClient

/// A cluster that a job reads or writes, with the patience that one has with it.
struct ClusterPlace: Sendable {
    var cluster: ClusterSettings
    var connectionTimeoutMilliseconds: Int
    var requestTimeoutMilliseconds: Int

    /// Reads the section `name`.
    init(_ name: String, _ values: inout ConfigurationValues) {
        self.cluster = ClusterSettings(name, &values)
        self.connectionTimeoutMilliseconds = values.integer("\(name).connection_timeout_ms")
        self.requestTimeoutMilliseconds = values.integer("\(name).request_timeout_ms")
    }

    /// What the session with it is made with.
    ///
    /// - Throws: ``FileFault`` where certificates or passwords cannot be read.
    func client(_ name: String, _ secrets: SecretReloader) async throws -> ClusterConfiguration {
        try await self.cluster.client(
            name,
            connectTimeoutMilliseconds: self.connectionTimeoutMilliseconds,
            secrets: secrets
        )
    }
}
