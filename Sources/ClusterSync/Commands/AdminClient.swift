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

/// How a command finds the admin port.
struct AdminOptions: ParsableArguments {
    @Option(help: "The admin port of the sidecar. Environment: CLUSTER_SYNC_ENDPOINT.")
    var endpoint: String?

    @Option(help: "The token that a change needs. Environment: CLUSTER_SYNC_ADMIN_TOKEN.")
    var token: String?

    @OptionGroup var tls: AdminTLSOptions

    @Flag(help: "Print the answer as JSON.")
    var json = false

    func client() throws -> AdminClient {
        try AdminClient(endpoint: self.endpoint, token: self.token, self.tls, otherwise: "http://127.0.0.1:8080")
    }
}

extension AdminClient {
    /// The client of a command: its options, else the environment, else `otherwise`.
    init(endpoint: String?, token: String?, _ tls: AdminTLSOptions, otherwise: String) throws {
        let environment = ProcessInfo.processInfo.environment
        var base = endpoint ?? environment["CLUSTER_SYNC_ENDPOINT"] ?? otherwise
        if !base.contains("://") { base = "http://" + base }
        while base.hasSuffix("/") { base.removeLast() }
        guard base.hasPrefix("http://") || base.hasPrefix("https://") else {
            throw fail(Exit.usage, "'\(base)' is not an address such as http://127.0.0.1:8080")
        }
        self.init(base: base, token: token ?? environment["CLUSTER_SYNC_ADMIN_TOKEN"], tls: tls.files)
    }
}

/// Talks to the admin port; failures end the command with a sentence and an exit code.
struct AdminClient: Sendable {
    /// The longest answer that is read, in bytes.
    static let answerBytesMax = 4 << 20
    static let timeout = TimeAmount.seconds(60)

    /// One attempt: a person waits for the answer, and that nothing listens should be said at once.
    private func configuration() throws(FileFault) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        if self.base.hasPrefix("https://") { configuration.tlsConfiguration = try self.tls.clientConfiguration() }
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
        return configuration
    }

    let base: String
    let token: String?
    /// For an `https://` endpoint: whom to trust and what to show.
    var tls = TLSFiles()

    func get<Document: Decodable>(_ path: String, as type: Document.Type) async throws -> (Document, Data) {
        try await self.send(HTTPClientRequest(url: self.base + path), type)
    }

    func put<Document: Decodable>(
        _ path: String,
        _ body: some Encodable,
        as type: Document.Type
    ) async throws -> (Document, Data) {
        try await self.change(.PUT, path, body, type)
    }

    func post<Document: Decodable>(
        _ path: String,
        _ body: some Encodable,
        as type: Document.Type
    ) async throws -> (Document, Data) {
        try await self.change(.POST, path, body, type)
    }

    private func change<Document: Decodable>(
        _ method: HTTPMethod,
        _ path: String,
        _ body: some Encodable,
        _ type: Document.Type
    ) async throws -> (Document, Data) {
        var request = HTTPClientRequest(url: self.base + path)
        request.method = method
        request.headers.add(name: "Content-Type", value: "application/json")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        request.body = .bytes(ByteBuffer(bytes: try DocumentCoding.encode(body)))
        return try await self.send(request, type)
    }

    private func send<Document: Decodable>(
        _ request: HTTPClientRequest,
        _ type: Document.Type
    ) async throws -> (Document, Data) {
        let configuration: HTTPClient.Configuration
        do {
            configuration = try self.configuration()
        } catch {
            throw fail(Exit.usage, "\(error)")
        }
        let status: HTTPResponseStatus
        let data: Data
        do {
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            do {
                let response = try await client.execute(request, timeout: Self.timeout)
                status = response.status
                data = Data(try await response.body.collect(upTo: Self.answerBytesMax).readableBytesView)
            } catch {
                try? await client.shutdown()
                throw error
            }
            try? await client.shutdown()
        } catch {
            throw fail(
                Exit.unavailable,
                "no admin port answers at \(self.base): \(Self.words(error))\n"
                    + "Is it running? --endpoint names another address."
            )
        }
        guard (200..<300).contains(status.code) else { throw self.refusal(status, data) }
        guard let document = try? DocumentCoding.decode(type, from: data) else {
            throw fail(Exit.unavailable, "\(self.base) answered something else than a cluster-sync admin port would")
        }
        return (document, data)
    }

    private func refusal(_ status: HTTPResponseStatus, _ data: Data) -> ExitCode {
        guard let fault = try? DocumentCoding.decode(ErrorDocument.self, from: data).error else {
            return fail(Exit.unavailable, "\(self.base) answered \(status.code) \(status.reasonPhrase)")
        }
        let code =
            switch status.code {
            case 401, 403: Exit.permission
            case 400: Exit.usage
            case 500...: Exit.software
            default: Exit.negative
            }
        let gates = (fault.gates ?? []).map { "  \($0.gate): \($0.figure), asked for is \($0.threshold)" }
        return fail(code, ([fault.message] + gates + [fault.hint].compactMap(\.self)).joined(separator: "\n"))
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
