import ArgumentParser
import AsyncHTTPClient
import CQLClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import Operations

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How a command finds the admin ports.
struct AdminOptions: ParsableArguments {
    @Option(
        help: """
            The admin port of a sidecar; repeated, or with a name that resolves to several addresses, all of them are asked. \
            Environment: CLUSTER_SYNC_ENDPOINT, with commas between several.
            """
    )
    var endpoint: [String] = []

    @Option(help: "The token that a change needs. Environment: CLUSTER_SYNC_ADMIN_TOKEN.")
    var token: String?

    @OptionGroup var tls: AdminTLSOptions

    @Flag(help: "Print the answer as JSON.")
    var json = false

    /// The sidecar of a command that is about one alone.
    func client() throws -> AdminClient { try self.endpoints.one("sidecar") }

    /// All sidecars that are named.
    func replicas() async throws -> ReplicaSet { try await self.endpoints.all(json: self.json) }

    private var endpoints: AdminEndpoints {
        AdminEndpoints(self.endpoint, otherwise: "http://127.0.0.1:8080", token: self.token, self.tls)
    }
}

extension AdminClient {
    /// The client of one admin port, with the token of the option, else of the environment.
    init(endpoint: String, token: String?, _ tls: AdminTLSOptions) throws {
        var base = endpoint
        if !base.contains("://") { base = "http://" + base }
        while base.hasSuffix("/") { base.removeLast() }
        guard base.hasPrefix("http://") || base.hasPrefix("https://") else {
            throw fail(Exit.usage, "'\(base)' is not an address such as http://127.0.0.1:8080")
        }
        let token = token ?? ProcessInfo.processInfo.environment["CLUSTER_SYNC_ADMIN_TOKEN"]
        self.init(base: base, token: token, tls: tls.files)
    }
}

/// Why an admin port did not do what was asked, with the exit code that says so.
struct AdminFailure: Error, Equatable {
    let code: ExitCode
    /// What, where and what to do; may have several lines.
    let message: String
}

/// Talks to one admin port. What ends in ``AdminFailure`` leaves to the caller what becomes of it; the others end the command
/// with its sentence and exit code.
struct AdminClient: Sendable {
    /// The longest answer that is read, in bytes.
    static let answerBytesMax = 4 << 20
    static let timeout = TimeAmount.seconds(60)

    let base: String
    let token: String?
    /// For an `https://` endpoint: whom to trust and what to show.
    var tls = TLSFiles()
    /// The one of several addresses of the name in `base` that is asked; nil where the name has one.
    var address: String?

    /// How people tell it from the others.
    var name: String {
        guard let address, self.base.hasPrefix("https://") else { return self.endpoint }
        return "\(self.base) (\(address))"
    }

    /// What `--endpoint` takes to ask it again; with TLS the whole name, because that is what its certificate holds.
    var endpoint: String {
        guard let address, self.base.hasPrefix("http://"), let host = ReplicaAddresses.host(of: self.base) else {
            return self.base
        }
        let written = address.contains(":") ? "[\(address)]" : address
        return self.base.replacing(host.written, with: written, maxReplacements: 1)
    }

    /// One attempt: a person waits for the answer, and that nothing listens should be said at once.
    func configuration() throws(AdminFailure) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        if self.base.hasPrefix("https://") {
            do {
                configuration.tlsConfiguration = try self.tls.clientConfiguration()
            } catch {
                throw AdminFailure(code: Exit.usage, message: "\(error)")
            }
        }
        // The name stays in the request and in what the certificate is checked against.
        if let address, let host = ReplicaAddresses.host(of: self.base) {
            configuration.dnsOverride = [host.plain: address]
        }
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
        return configuration
    }

    func get<Document: Decodable>(_ path: String, as type: Document.Type) async throws -> (Document, Data) {
        try await Self.orFail { () async throws(AdminFailure) in try await self.ask(path, as: type) }
    }

    func put<Document: Decodable>(
        _ path: String,
        _ body: some Encodable,
        as type: Document.Type
    ) async throws -> (Document, Data) {
        try await Self.orFail { () async throws(AdminFailure) in try await self.change(.PUT, path, body, as: type) }
    }

    func post<Document: Decodable>(
        _ path: String,
        _ body: some Encodable,
        as type: Document.Type
    ) async throws -> (Document, Data) {
        try await Self.orFail { () async throws(AdminFailure) in try await self.change(.POST, path, body, as: type) }
    }

    private static func orFail<Answer>(_ body: () async throws(AdminFailure) -> Answer) async throws -> Answer {
        do throws(AdminFailure) {
            return try await body()
        } catch {
            throw fail(error.code, error.message)
        }
    }

    /// What a path answers, beside its bytes as they came.
    func ask<Document: Decodable>(
        _ path: String,
        as type: Document.Type,
        timeout: TimeAmount = Self.timeout
    ) async throws(AdminFailure) -> (Document, Data) {
        try await self.send(HTTPClientRequest(url: self.base + path), type, timeout)
    }

    /// Asks for a change, and what it has come to.
    func change<Document: Decodable>(
        _ method: HTTPMethod,
        _ path: String,
        _ body: some Encodable,
        as type: Document.Type,
        within timeout: TimeAmount = Self.timeout
    ) async throws(AdminFailure) -> (Document, Data) {
        var request = HTTPClientRequest(url: self.base + path)
        request.method = method
        request.headers.add(name: "Content-Type", value: "application/json")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        do {
            request.body = .bytes(ByteBuffer(bytes: try DocumentCoding.encode(body)))
        } catch {
            throw AdminFailure(code: Exit.software, message: "\(error)")
        }
        return try await self.send(request, type, timeout)
    }

    private func send<Document: Decodable>(
        _ request: HTTPClientRequest,
        _ type: Document.Type,
        _ timeout: TimeAmount
    ) async throws(AdminFailure) -> (Document, Data) {
        let configuration = try self.configuration()
        let status: HTTPResponseStatus
        let data: Data
        do {
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            do {
                let response = try await client.execute(request, timeout: timeout)
                status = response.status
                data = Data(try await response.body.collect(upTo: Self.answerBytesMax).readableBytesView)
            } catch {
                try? await client.shutdown()
                throw error
            }
            try? await client.shutdown()
        } catch {
            throw self.silence(error)
        }
        guard (200..<300).contains(status.code) else { throw self.refusal(status, data) }
        guard let document = try? DocumentCoding.decode(type, from: data) else {
            throw AdminFailure(
                code: Exit.unavailable,
                message: "\(self.name) answered something else than a cluster-sync admin port would"
            )
        }
        return (document, data)
    }

    /// That nothing answers.
    func silence(_ error: any Error) -> AdminFailure {
        AdminFailure(
            code: Exit.unavailable,
            message: "no admin port answers at \(self.name): \(Self.words(error))\n"
                + "Is it running? --endpoint names another address."
        )
    }

    private func refusal(_ status: HTTPResponseStatus, _ data: Data) -> AdminFailure {
        guard let fault = try? DocumentCoding.decode(ErrorDocument.self, from: data).error else {
            return AdminFailure(
                code: Exit.unavailable,
                message: "\(self.name) answered \(status.code) \(status.reasonPhrase)"
            )
        }
        let code =
            switch status.code {
            case 401, 403: Exit.permission
            case 400: Exit.usage
            case 500...: Exit.software
            default: Exit.negative
            }
        let gates = (fault.gates ?? []).map { "  \($0.gate): \($0.figure), asked for is \($0.threshold)" }
        let lines = [fault.message] + gates + [fault.hint].compactMap(\.self)
        return AdminFailure(code: code, message: lines.joined(separator: "\n"))
    }

    /// A name as a part of a path, or of what stands behind the question mark.
    static func escaped(_ name: String) -> String {
        name.utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            let isPlain = byte < 128 && (character.isLetter || character.isNumber)
            return isPlain || byte == UInt8(ascii: "_") ? String(character) : "%" + Human.hexadecimal([byte])
        }.joined()
    }

    static func words(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .connectTimeout: "the connection was not made in time"
        case let error as HTTPClientError where error == .deadlineExceeded: "there was no answer in time"
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { Self.words($0.error) } ?? "the name cannot be resolved"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        default: TLSFailure.reason(error) ?? "\(error)"
        }
    }
}
