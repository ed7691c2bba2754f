import CQLClient
import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore

/// From a client's frame to a request, or to an answer of the proxy's own.
extension DualWriterLoop {
    // MARK: Framing

    /// Whether a frame may be read on. What is wrong with its version or direction is answered here; the connection goes on.
    ///
    /// Cassandra answers a version that it does not speak on stream 0. Here it is the frame's own stream: drivers that never
    /// use stream 0 take an answer there for the end of the connection instead of trying a lower version.
    func accepts(_ header: FrameHeader, from client: ClientConnection) -> Bool {
        guard header.version.isSupported else {
            self.refuse(client, header, Self.unsupported(header.version))
            return false
        }
        if header.isResponse {
            let opcode = "\(header.opcode.rawValue) (\(header.opcode))"
            self.refuse(
                client,
                header,
                "Wrong protocol direction (expected REQUEST, got RESPONSE) for opcode \(opcode)"
            )
            return false
        }
        // Before STARTUP each frame is read by itself: a driver may try versions with OPTIONS.
        if case .awaitingStartup = client.phase {
            client.version = header.version
            return true
        }
        guard let version = client.version, version == header.version else {
            let former = client.version.map { "\($0.rawValue)/\($0)" } ?? "none"
            self.refuse(
                client,
                header,
                "Invalid message version. Got \(header.version.rawValue)/\(header.version) but previous messages on this "
                    + "connection had version \(former)"
            )
            return false
        }
        return true
    }

    /// The words that drivers look for before they go on with a lower version.
    private static func unsupported(_ version: ProtocolVersion) -> String {
        "Invalid or unsupported protocol version (\(version.rawValue)); supported versions are (3/v3, 4/v4)"
    }

    /// A version before 3, whose frames have a header of eight bytes: version, flags, a stream of one byte, opcode, length.
    func versionTooOld(_ version: ProtocolVersion, from client: ClientConnection) {
        self.counters.protocolErrors &+= 1
        let body = AnswerDecoder.encode(.error(ProxyError.protocol(Self.unsupported(version))))
        var frame = ByteBuffer()
        // A version 0 never was; its sender gets the header of today's.
        let answered = version.rawValue == 0 ? ProtocolVersion.v4.responseByte : version.responseByte
        frame.writeBytes([answered, 0, 0])
        if version.rawValue == 0 { frame.writeInteger(UInt8(0)) }
        frame.writeInteger(Opcode.error.rawValue)
        frame.writeInteger(UInt32(body.readableBytes))
        frame.writeImmutableBuffer(body)
        client.appendRaw(frame)
    }

    func frameTooLong(_ header: FrameHeader, from client: ClientConnection, limit: Int) {
        self.counters.protocolErrors &+= 1
        let text = "Request of \(header.bodyLength) bytes is longer than the limit of \(limit) bytes"
        self.answer(client, header.stream, .error(ProxyError.protocol(text)))
        client.close()
    }

    /// Too much has begun to come in over all clients, and this one has brought some of it.
    func unfinishedFramesTooLarge(_ header: FrameHeader, from client: ClientConnection) {
        self.counters.overloaded &+= 1
        let text = "unfinished requests are longer than \(self.limits.unfinishedFrameBytesMax) bytes in all"
        self.answer(client, header.stream, .error(ProxyError.overloaded(text)))
        client.close()
    }

    /// One whole frame.
    func received(_ header: FrameHeader, body: UnsafeRawBufferPointer, from client: ClientConnection) {
        guard header.flags.contains(.compression) else {
            self.handle(header, body, client)
            return
        }
        guard let compression = client.compression else {
            self.refuse(client, header, "a compressed frame on a connection without compression")
            return
        }
        do throws(CQLProtocolError) {
            let plain = try compression.decompress(
                ByteBuffer(bytes: body),
                maximumLength: self.limits.frameBytesMax
            )
            var header = header
            header.flags.remove(.compression)
            header.bodyLength = plain.readableBytes
            plain.withUnsafeReadableBytes { self.handle(header, $0, client) }
        } catch {
            self.refuse(client, header, "a compressed body that cannot be read: \(error.what)")
        }
    }

    private func handle(_ header: FrameHeader, _ body: UnsafeRawBufferPointer, _ client: ClientConnection) {
        switch (client.phase, header.opcode) {
        case (_, .options):
            self.answerOptions(client, header.stream)
        case (.awaitingStartup, .startup):
            self.startup(client, header, body)
        case (.authenticating, .authResponse):
            self.authenticate(client, header, body)
        case (.ready, .register):
            self.register(client, header, body)
        case (.ready, .query), (.ready, .prepare), (.ready, .execute), (.ready, .batch):
            self.begin(header, body, client)
        case (_, let opcode) where !opcode.isRequest:
            self.refuse(client, header, "Unknown opcode \(opcode.rawValue)")
        case (.awaitingStartup, _):
            self.refuse(client, header, "Unexpected message \(header.opcode), expecting STARTUP or OPTIONS")
        case (.authenticating, _):
            self.refuse(client, header, "Unexpected message \(header.opcode), expecting AUTH_RESPONSE")
        case (.ready, _):
            self.refuse(client, header, "Unexpected message \(header.opcode)")
        case (.closed, _):
            break
        }
    }

    func answer(_ client: ClientConnection, _ stream: Int16, _ response: Response) {
        let body = AnswerDecoder.encode(response, version: client.version ?? .v4)
        body.withUnsafeReadableBytes {
            client.append(stream: stream, flags: [], opcode: response.opcode, $0)
        }
    }

    /// A PROTOCOL error; the connection goes on, because the next frame's place is known.
    func refuse(_ client: ClientConnection, _ header: FrameHeader, _ text: String) {
        self.counters.protocolErrors &+= 1
        self.answer(client, header.stream, .error(ProxyError.protocol(text)))
    }

    // MARK: Events

    private func register(_ client: ClientConnection, _ header: FrameHeader, _ body: UnsafeRawBufferPointer) {
        guard case .register(let types)? = self.decode(header, body, client) else { return }
        let known: [EventType] = [.topologyChange, .statusChange, .schemaChange]
        if let unknown = types.first(where: { !known.contains($0) }) {
            self.refuse(client, header, "Invalid value '\(unknown.rawValue.prefix(64))' for Type")
            return
        }
        for type in types where !client.registeredEvents.contains(type) { client.registeredEvents.append(type) }
        self.counters.answeredByProxy &+= 1
        self.answer(client, header.stream, .ready)
    }

    /// A schema change of the primary, for the clients that asked to hear of it.
    func forward(_ change: CQLProtocol.SchemaChange, from cluster: Cluster) {
        let primary = self.settings.mode.primary
        guard self.schemaNews.isNews(change, from: cluster, primary: primary, now: self.now) else { return }
        for client in self.clients.values where client.registeredEvents.contains(.schemaChange) {
            self.answer(client, -1, .event(.schemaChange(change)))
        }
    }

    /// Takes no new requests. Clients that asked for such news are told that this host is going down, so that their drivers
    /// turn to another one before they are refused here.
    func beginDraining() {
        self.isDraining = true
        for client in self.clients.values where client.registeredEvents.contains(.statusChange) {
            guard let host = self.advertisedAddress ?? client.address, let bytes = host.packed,
                let address = InetAddress(bytes)
            else { continue }
            let endpoint = InetEndpoint(address: address, port: Int32(host.port ?? 0))
            self.answer(client, -1, .event(.statusChange("DOWN", endpoint)))
        }
    }

    func decode(_ header: FrameHeader, _ body: UnsafeRawBufferPointer, _ client: ClientConnection) -> Request? {
        do throws(CQLProtocolError) {
            let frame = RawFrame(header: header, body: ByteBuffer(bytes: body))
            return try RequestFrame(decoding: frame).request
        } catch {
            self.refuse(client, header, "malformed \(header.opcode): \(error.what) at byte \(error.offset)")
            return nil
        }
    }
}
