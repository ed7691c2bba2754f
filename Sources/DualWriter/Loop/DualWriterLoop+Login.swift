import CQLClient
import CQLProtocol
import DualWriteCore
import NIOCore

/// From a client's first frame to READY, and its way to another keyspace.
extension DualWriterLoop {
    // MARK: Handshake

    func answerOptions(_ client: ClientConnection, _ stream: Int16) {
        self.counters.answeredByProxy &+= 1
        self.answer(
            client,
            stream,
            .supported([
                "PROTOCOL_VERSIONS": ["3/v3", "4/v4"], "COMPRESSION": ["snappy", "lz4"], "CQL_VERSION": ["3.4.6"],
            ])
        )
    }

    func startup(_ client: ClientConnection, _ header: FrameHeader, _ body: UnsafeRawBufferPointer) {
        guard case .startup(let options)? = self.decode(header, body, client) else { return }
        guard options["CQL_VERSION"] != nil else {
            self.refuse(client, header, "Missing value CQL_VERSION in STARTUP message")
            return
        }
        client.identity = self.identity(
            ClientIdentity.Key(credentials: nil, keyspace: nil, version: header.version)
        )
        let primary = self.settings.mode.primary
        if self.isDraining {
            let error = ErrorMessage(.overloaded, "cluster-sync: shutting down, please retry on the next host")
            self.answer(client, header.stream, .error(error))
            return
        }
        guard !self.gate.isCrowded else {
            self.counters.clientsRefused &+= 1
            let error = ProxyError.overloaded("more than \(self.limits.clientConnectionsMax) client connections")
            self.answer(client, header.stream, .error(error))
            client.close()
            return
        }
        if let name = options.pairs.first(where: { $0.key.uppercased() == "COMPRESSION" })?.value, !name.isEmpty {
            guard let compression = BodyCompression(name: name.lowercased()) else {
                self.refuse(client, header, "Unknown compression algorithm: \(name.prefix(32))")
                return
            }
            client.pendingCompression = compression
        }
        guard self.topology(primary) != nil else {
            let error = ErrorMessage(
                .isBootstrapping,
                "cluster-sync: the \(primary) cluster, which is primary in \(self.settings.mode), is not connected"
            )
            self.answer(client, header.stream, .error(error))
            return
        }
        self.counters.answeredByProxy &+= 1
        if let authenticator = self.loginCheck.cluster.flatMap({ self.topology($0)?.authenticator }) {
            client.phase = .authenticating
            self.answer(client, header.stream, .authenticate(authenticator))
        } else {
            client.phase = .ready
            self.answer(client, header.stream, .ready)
        }
        // From the answer to STARTUP on, bodies may be compressed (native protocol v4 §5); that one is sent plain.
        client.compression = client.pendingCompression
    }

    private var loginCheck: LoginCheck {
        LoginCheck(
            mode: self.settings.mode,
            others: self.settings.overrides.ofTables.map(\.stage),
            asksForCredentials: { self.topology($0)?.authenticator != nil },
            usesOwnNames: { !self.settings.actingAsConfigured.contains($0) }
        )
    }

    /// Has a client's name and password checked: by a cluster, which sees them as its own client's, or against the configured
    /// ones where all clients act under those.
    func authenticate(_ client: ClientConnection, _ header: FrameHeader, _ body: UnsafeRawBufferPointer) {
        guard case .authResponse(let token)? = self.decode(header, body, client) else { return }
        guard let token, let credentials = Credentials(saslPlain: token) else {
            let error = ErrorMessage(
                .badCredentials,
                "cluster-sync: only SASL PLAIN (user name and password) is carried"
            )
            self.answer(client, header.stream, .error(error))
            return
        }
        let key = ClientIdentity.Key(credentials: credentials, keyspace: nil, version: client.version ?? .v4)
        let identity = self.identity(key)
        switch self.loginCheck {
        case .none:
            self.loginChecked(client, header.stream, identity, nil)
        case .configured(let cluster):
            let isRight = self.cluster(cluster)?.configuration.credentials?.current.matches(credentials) == true
            // Cassandra's words.
            let text = "Provided username \(credentials.username) and/or password are incorrect"
            self.loginChecked(client, header.stream, identity, isRight ? nil : ErrorMessage(.badCredentials, text))
        case .cluster(let cluster):
            self.askForLogin(client, header.stream, identity, cluster)
        }
    }

    private func askForLogin(
        _ client: ClientConnection,
        _ stream: Int16,
        _ identity: ClientIdentity,
        _ cluster: Cluster
    ) {
        guard let loopCluster = self.cluster(cluster), let credentials = identity.key.credentials else {
            let error = ProxyError.unavailable(cluster, "not configured", .one)
            self.loginChecked(client, stream, identity, error)
            return
        }
        // A shadow that is away keeps nobody out whom it has let in before, nor lets him wait for long.
        let isRemembered = cluster != self.settings.mode.primary && self.acceptedLogins.contains(credentials)
        let deadline = isRemembered ? .now() + .milliseconds(500) : self.handshakeDeadline
        client.inFlight += 1
        loopCluster.verify(self.sessionKey(for: identity.key, cluster), deadline: deadline) { result in
            client.inFlight -= 1
            switch result {
            case .success:
                // Its connections are opened before the first request comes.
                _ = identity.pool(self.settings.mode.primary)
                self.noteAccepted(credentials)
                self.loginChecked(client, stream, identity, nil)
            case .failure(let error):
                if error.serverError != nil { self.acceptedLogins.remove(credentials) }
                let message = error.serverError ?? ProxyError.unavailable(cluster, error.description, .one)
                let mayPass = isRemembered && error.serverError == nil
                self.loginChecked(client, stream, identity, mayPass ? nil : message)
            }
        }
    }

    private func noteAccepted(_ credentials: Credentials) {
        if self.acceptedLogins.count >= self.limits.acceptedLoginsMax {
            self.acceptedLogins = []
            self.latestLogins = [:]
        }
        self.acceptedLogins.insert(credentials)
        self.latestLogins[credentials.username] = credentials
        for cluster in Cluster.allCases { self.lane(cluster).loggedIn(credentials.username) }
    }

    /// The same name with the password that was accepted last, where that is another one: what was written under the old password
    /// is still owed after a change of it.
    func successor(of identity: ClientIdentity) -> ClientIdentity? {
        guard let former = identity.key.credentials, let latest = self.latestLogins[former.username], latest != former
        else { return nil }
        var key = identity.key
        key.credentials = latest
        return self.identity(key)
    }

    private func loginChecked(
        _ client: ClientConnection,
        _ stream: Int16,
        _ identity: ClientIdentity,
        _ error: ErrorMessage?
    ) {
        guard let error else {
            guard client.isOpen else { return }
            client.identity = identity
            client.phase = .ready
            self.answer(client, stream, .authSuccess(nil))
            return
        }
        // Wrong passwords leave nothing behind; others may be in under the same name with a former one.
        if !self.isInUse(identity) { self.forget(identity) }
        if client.isOpen { self.answer(client, stream, .error(error)) }
    }

    private var handshakeDeadline: NIODeadline {
        NIODeadline.now() + .milliseconds(Int64(self.settings.timeouts.primaryWriteMilliseconds))
    }

    /// Moves a client to another keyspace once the primary has one of this name; its refusal goes to the client as it is.
    func move(_ client: ClientConnection, _ stream: Int16, to keyspace: String) {
        let identity = self.identity(client.identity.key.moved(to: keyspace))
        let primary = self.settings.mode.primary
        guard let pool = identity.pool(primary) else {
            self.answer(client, stream, .error(Self.tooManyPools))
            return
        }
        client.inFlight += 1
        pool.whenReady(deadline: self.handshakeDeadline) { result in
            client.inFlight -= 1
            guard client.isOpen else { return }
            switch result {
            case .success:
                client.identity = identity
                self.answer(client, stream, .result(.setKeyspace(keyspace)))
            case .failure(let error):
                if !self.isInUse(identity) { self.forget(identity) }
                let message = error.serverError ?? ProxyError.unavailable(primary, error.description, .one)
                self.answer(client, stream, .error(message))
            }
        }
    }
}
