import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOSSL
import Operations

/// The admin port of one sidecar, asked by a program and not by a person: what fails is an error, and nothing is said or ended.
struct SidecarLink: Sendable {
    /// Why there is no answer. Shows neither token nor keys.
    struct Failure: Error, Sendable, CustomStringConvertible {
        /// The word of the sidecar's error, where it has answered with one.
        var code: String?
        /// Whether the same question may be answered in a moment.
        var isSafeToRetry: Bool
        let description: String
    }

    /// The longest answer that is read, in bytes: a thousand partitions with their longest keys.
    static let answerBytesMax = 8 << 20

    /// Without a slash at its end.
    let base: String
    /// Asked at each request.
    let token: @Sendable () -> String?
    let timeout: TimeAmount
    let client: HTTPClient
    /// For `https://`; nil: whom the system trusts.
    let tls: TLSConfiguration?

    init(
        _ address: String,
        token: @escaping @Sendable () -> String?,
        timeout: TimeAmount,
        client: HTTPClient,
        tls: TLSConfiguration? = nil
    ) {
        var base = address[...]
        while base.hasSuffix("/") { base = base.dropLast() }
        self.base = String(base)
        self.token = token
        self.timeout = timeout
        self.client = client
        self.tls = tls
    }

    func get<Document: Decodable>(_ path: String, as type: Document.Type) async throws -> Document {
        try await self.send(HTTPClientRequest(url: self.base + path), type)
    }

    func post<Document: Decodable>(_ path: String, _ body: some Encodable, as type: Document.Type) async throws
        -> Document
    {
        var request = HTTPClientRequest(url: self.base + path)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: try DocumentCoding.encode(body)))
        return try await self.send(request, type)
    }

    private func send<Document: Decodable>(_ request: HTTPClientRequest, _ type: Document.Type) async throws -> Document
    {
        var request = request
        request.tlsConfiguration = self.tls
        if let token = self.token() { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let status: HTTPResponseStatus
        let data: Data
        do {
            let response = try await self.client.execute(request, timeout: self.timeout)
            status = response.status
            data = Data(try await response.body.collect(upTo: Self.answerBytesMax).readableBytesView)
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw Failure(isSafeToRetry: true, description: "the sidecar at \(self.base) does not answer: \(error)")
        }
        guard (200..<300).contains(status.code) else {
            let fault = try? DocumentCoding.decode(ErrorDocument.self, from: data).error
            throw Failure(
                code: fault?.code,
                isSafeToRetry: status.code == 503,
                description:
                    "the sidecar at \(self.base) answers \(status.code): \(fault?.message ?? status.reasonPhrase)"
            )
        }
        guard let document = try? DocumentCoding.decode(type, from: data) else {
            throw Failure(
                isSafeToRetry: false,
                description: "\(self.base) answers something else than a sidecar's admin port would"
            )
        }
        return document
    }
}
