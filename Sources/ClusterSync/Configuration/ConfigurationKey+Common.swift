/// The keys that services have in common.
extension ConfigurationKey {
    static func milliseconds(_ path: String, _ fallback: String, _ help: String, aliases: [String] = []) -> Self {
        Self(path: path, kind: .integer(1...600_000), fallback: fallback, help: help, aliases: aliases)
    }

    static func flag(_ path: String, _ fallback: Bool, _ help: String) -> Self {
        Self(path: path, kind: .choice(["true", "false"]), fallback: fallback ? "true" : "false", help: help)
    }

    static func limit(_ path: String, _ range: ClosedRange<Int>, _ fallback: Int, _ help: String) -> Self {
        Self(path: "limits." + path, kind: .integer(range), fallback: String(fallback), help: help)
    }

    static func cluster(_ name: String, hosts alias: String) -> [Self] {
        [
            Self(
                path: "\(name).hosts",
                kind: .hosts,
                fallback: nil,
                help: "Contact points of the \(name) cluster: names or addresses, each with an optional port.",
                aliases: [alias],
                variables: [alias.uppercased()]
            ),
            Self(
                path: "\(name).driver",
                kind: .choice(["cassandra", "scylla"]),
                fallback: "cassandra",
                help: "What the \(name) cluster is."
            ),
            Self(
                path: "\(name).port",
                kind: .integer(1...65_535),
                fallback: "9042",
                help: "The port of contact points that name none, and of the nodes that the \(name) cluster reports."
            ),
            Self(
                path: "\(name).local_dc",
                kind: .text,
                fallback: nil,
                help: "The datacenter whose nodes get requests; without it the contact points' own."
            ),
            Self(
                path: "\(name).local_rack",
                kind: .text,
                fallback: nil,
                help: "The rack whose nodes come first where one of them will do; without it all racks are alike."
            ),
            Self(
                path: "\(name).username",
                kind: .text,
                fallback: nil,
                help: "The role of the sidecar's own connections."
            ),
            Self(path: "\(name).password", kind: .secret, fallback: nil, help: "Its password."),
            Self(
                path: "\(name).password_file",
                kind: .path,
                fallback: nil,
                help: "A file that holds the password, instead of password."
            ),
            Self(
                path: "\(name).credentials",
                kind: .choice(["forward", "configured"]),
                fallback: "forward",
                help: "Under whose name applications' requests run there: their own, or the sidecar's."
            ),
            Self(
                path: "\(name).connections_per_node",
                kind: .integer(1...64),
                fallback: "1",
                help: "Connections per event loop and node."
            ),
            Self(
                path: "\(name).compression",
                kind: .choice(["none", "lz4", "snappy"]),
                fallback: "none",
                help: "How bodies are packed toward the \(name) cluster, whatever applications do."
            ),
        ]
    }

    /// A cluster as in the dual writer's file, but without applications that could have credentials of their own.
    static func clusterOfJob(_ name: String, hosts alias: String, _ timeout: String) -> [Self] {
        let keys = Self.cluster(name, hosts: alias).filter { $0.path != "\(name).credentials" }
        return keys.map { key in
            key.path == "\(name).connections_per_node" ? key.adding(aliases: ["\(name).pool_size"]) : key
        } + [
            Self.milliseconds(
                "\(name).connection_timeout_ms",
                "5000",
                "How long opening a connection to a node of the \(name) cluster may take."
            ),
            Self.milliseconds(
                "\(name).request_timeout_ms",
                timeout,
                "How long a request to it may wait for its answer."
            ),
        ] + Self.clusterTLS(name)
    }

    static func file(_ path: String, _ help: String) -> Self {
        Self(path: path, kind: .path, fallback: nil, help: help)
    }

    static func clusterTLS(_ name: String) -> [Self] {
        [
            Self(
                path: "\(name).tls.enabled",
                kind: .choice(["false", "true"]),
                fallback: "false",
                help: "Whether the nodes of the \(name) cluster are spoken to over TLS."
            ),
            Self.file(
                "\(name).tls.ca",
                "The authorities that the nodes' certificates come from; else those of the system."
            ),
            Self.file(
                "\(name).tls.certificate",
                "The sidecar's certificate toward the \(name) cluster, with its chain."
            ),
            Self.file("\(name).tls.key", "Its key."),
            Self(
                path: "\(name).tls.verify",
                kind: .choice(["full", "certificate", "none"]),
                fallback: "full",
                help: "What is checked: the certificate and its host name, the certificate, nothing."
            ),
            Self(
                path: "\(name).tls.server_name",
                kind: .text,
                fallback: nil,
                help: "The name that the nodes' certificates are made for, where it is not their address."
            ),
        ]
    }

    static func admin(listen: String) -> [Self] {
        [
            Self(path: "admin.listen", kind: .address, fallback: listen, help: "Where the admin port is."),
            Self(path: "admin.token", kind: .secret, fallback: nil, help: "The token that changing something needs."),
            Self.file("admin.token_file", "A file that holds the token, instead of token."),
            Self.file(
                "admin.tls.certificate_file",
                "The certificate of the admin port, with its chain; with it the port speaks TLS and nothing else."
            ),
            Self.file("admin.tls.key_file", "Its key."),
            Self.file(
                "admin.tls.client_ca_file",
                "The authorities of the certificates of whoever connects to it; with it each needs one."
            ),
        ]
    }

    /// How often files are read again.
    static var reload: Self {
        Self(
            path: "reload_ms",
            kind: .integer(100...600_000),
            fallback: "5000",
            help: "How often the files of certificates, passwords and tokens are read."
        )
    }

    /// The same key, under more names of older files.
    func adding(aliases: [String]) -> Self {
        var key = self
        key.aliases += aliases
        return key
    }
}
