import CQLClient

extension ClusterSettings {
    /// What a client of the cluster needs. Passwords and certificates follow their files while `secrets` runs.
    ///
    /// - Parameter name: for messages and logs.
    func client(
        _ name: String,
        connectTimeoutMilliseconds: Int,
        secrets: SecretReloader
    ) async throws -> ClusterConfiguration {
        var configuration = ClusterConfiguration(
            name: name,
            contactPoints: try self.hosts.map { try ContactPoint(parsing: $0) }
        )
        configuration.port = self.port
        configuration.localDatacenter = self.localDC
        configuration.localRack = self.localRack
        configuration.driver = self.driver
        if let username = self.username, let password = self.password {
            let credentials = RotatingCredentials(username: username, password: password.text)
            configuration.credentials = credentials
            await secrets.follow(name, "password", password) { credentials.replace(password: $0) }
        }
        if let tls = self.tls {
            configuration.tls = try await secrets.endpoint(name, tls.files) { (material) throws(TLSMaterialError) in
                try TLSEndpoint.cluster(material, verification: tls.verification, serverName: tls.serverName)
            }
        }
        configuration.connectionsPerNode = self.connectionsPerNode
        configuration.compression = self.compression
        configuration.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        return configuration
    }
}
