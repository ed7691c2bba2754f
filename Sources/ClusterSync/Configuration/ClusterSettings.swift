import CQLClient
import CQLProtocol

/// One cluster, as the configuration has it.
struct ClusterSettings: Sendable {
    /// Under whose name the requests of applications run on a cluster.
    enum CredentialPolicy: String, Sendable { case forward, configured }

    /// TLS toward one cluster.
    struct TLS: Sendable {
        var files: TLSFiles
        var verification: TLSEndpoint.Verification
        var serverName: String?
    }

    var hosts: [String]
    var driver: ClusterConfiguration.Driver
    var port: Int
    var localDC: String?
    var localRack: String?
    var username: String?
    var password: Secret?
    /// Whose name applications' requests run under; the configured one for a service without applications.
    var credentials: CredentialPolicy
    var connectionsPerNode: Int
    /// Nil: bodies are sent as they are.
    var compression: BodyCompression?
    /// Nil: plain connections.
    var tls: TLS?

    /// The contact points with their ports.
    var addresses: [String] {
        self.hosts.map { host in
            (try? ContactPoint(parsing: host)).map { "\($0.host):\($0.port ?? self.port)" } ?? host
        }
    }

    /// Reads the section `name`.
    init(_ name: String, _ values: inout ConfigurationValues) {
        self.hosts = values.hosts("\(name).hosts")
        self.driver = ClusterConfiguration.Driver(rawValue: values.choice("\(name).driver")) ?? .cassandra
        self.port = values.integer("\(name).port")
        self.localDC = values.text("\(name).local_dc")
        self.localRack = values.text("\(name).local_rack")
        self.username = values.text("\(name).username")
        self.password = values.secret("\(name).password", file: "\(name).password_file")
        self.credentials = .configured
        self.connectionsPerNode = values.integer("\(name).connections_per_node")
        self.compression = BodyCompression(name: values.choice("\(name).compression"))
        if values.has("\(name).credentials") {
            self.credentials = CredentialPolicy(rawValue: values.choice("\(name).credentials")) ?? .forward
            if self.credentials == .configured, self.username == nil {
                values.fault("\(name).credentials", "configured needs \(name).username beside it")
            }
        }
        self.tls = Self.tls(name, &values)
        if self.username == nil, self.password != nil {
            values.fault("\(name).password", "needs \(name).username beside it")
        }
        if self.username != nil, self.password == nil {
            values.fault("\(name).username", "needs \(name).password or \(name).password_file beside it")
        }
    }

    private static func tls(_ name: String, _ values: inout ConfigurationValues) -> TLS? {
        let files = TLSFiles(
            certificate: values.text("\(name).tls.certificate"),
            key: values.text("\(name).tls.key"),
            authorities: values.text("\(name).tls.ca")
        )
        let verification = TLSEndpoint.Verification(rawValue: values.choice("\(name).tls.verify")) ?? .full
        let serverName = values.text("\(name).tls.server_name")
        if files.certificate == nil, files.key != nil {
            values.fault("\(name).tls.key", "needs \(name).tls.certificate beside it")
        }
        if files.certificate != nil, files.key == nil {
            values.fault("\(name).tls.certificate", "needs \(name).tls.key beside it")
        }
        guard values.flag("\(name).tls.enabled") else {
            // Who names certificates and forgets the switch must not go on in plain text without knowing.
            for key in ["ca", "certificate", "key", "server_name"] {
                let path = "\(name).tls.\(key)"
                if values.origin(path) != nil { values.fault(path, "needs \(name).tls.enabled: true beside it") }
            }
            return nil
        }
        return TLS(files: files, verification: verification, serverName: serverName)
    }
}
