import DualReader

extension ReaderConfiguration {
    /// The reader near one of the clusters that answers with digests.
    struct Peer: Sendable, Equatable {
        /// `https://reader.far:9091`.
        var url: String
        /// Its admin token.
        var token: Secret?
        /// The cluster that it stands near.
        var cluster: Side
        /// Whether nothing is compared without it.
        var isRequired: Bool
        /// How long it may make no progress.
        var timeoutMilliseconds: Int
        /// The authorities that its certificate comes from, else those of the system; and what is shown to it, if anything.
        var tls = TLSFiles()
    }

    /// What the file says of a peer; nil where it names none.
    static func peer(_ values: inout ConfigurationValues) -> Peer? {
        let cluster = Side(rawValue: values.choice("peer.cluster")) ?? .target
        let peer = Peer(
            url: values.text("peer.url") ?? "",
            token: values.secret("peer.token", file: "peer.token_file"),
            cluster: cluster,
            isRequired: values.flag("peer.required"),
            timeoutMilliseconds: values.integer("peer.timeout_ms"),
            tls: TLSFiles(
                certificate: values.text("peer.certificate"),
                key: values.text("peer.key"),
                authorities: values.text("peer.ca")
            )
        )
        guard !peer.url.isEmpty else {
            for path in ["peer.token", "peer.token_file"] + Self.peerFiles where values.origin(path) != nil {
                values.fault(path, "stands without peer.url: nobody is asked")
            }
            return nil
        }
        guard peer.url.hasPrefix("http://") || peer.url.hasPrefix("https://") else {
            values.fault("peer.url", "'\(peer.url.prefix(80))' is no address such as https://reader.far:9091")
            return nil
        }
        for path in Self.peerFiles where values.origin(path) != nil && !peer.url.hasPrefix("https://") {
            values.fault(path, "stands beside an address without TLS; let peer.url begin with https://")
        }
        if (peer.tls.certificate == nil) != (peer.tls.key == nil) {
            let (there, missing) =
                peer.tls.key == nil ? ("peer.certificate", "peer.key") : ("peer.key", "peer.certificate")
            values.fault(there, "needs \(missing) beside it")
        }
        return peer
    }

    private static let peerFiles = ["peer.ca", "peer.certificate", "peer.key"]
}

extension ConfigurationSchema {
    /// The peer, and the port on which this reader is one.
    static let peerKeys: [ConfigurationKey] =
        [
            ConfigurationKey(
                path: "peer.url",
                kind: .text,
                fallback: nil,
                help: "The admin port of a reader near the other cluster; without it both clusters are read from here."
            ),
            ConfigurationKey(path: "peer.token", kind: .secret, fallback: nil, help: "Its admin token."),
            ConfigurationKey.file("peer.token_file", "A file that holds the token, instead of token."),
            ConfigurationKey.file(
                "peer.ca",
                "The authorities that its certificate comes from; else those of the system."
            ),
            ConfigurationKey.file("peer.certificate", "The certificate to show to it, where its port wants one."),
            ConfigurationKey.file("peer.key", "The key of that certificate."),
            ConfigurationKey(
                path: "peer.cluster",
                kind: .choice(["target", "source"]),
                fallback: "target",
                help: "The cluster that the peer stands near, and this reader does not read but for what differs."
            ),
            ConfigurationKey.flag(
                "peer.required",
                true,
                "Whether nothing is compared without the peer; false reads both clusters from here instead."
            ),
            ConfigurationKey.milliseconds(
                "peer.timeout_ms",
                "60000",
                "How long the peer may make no progress."
            ),
        ]
}
