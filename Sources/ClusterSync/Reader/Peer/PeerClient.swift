import AsyncHTTPClient
import DualReader
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Operations

/// The reader near the other cluster, asked over its admin port.
struct PeerClient: DigestPeer {
    /// The longest answer that is read, in bytes.
    static var answerBytesMax: Int { 32 << 20 }

    private let http: HTTPClient
    private let base: String
    private let token: @Sendable () -> String?
    private let timeout: TimeAmount

    /// - Parameters:
    ///   - http: closed by whoever made it.
    ///   - base: `https://reader.far:9091`.
    ///   - token: asked for each question.
    ///   - timeout: how long one answer may take. The peer says within seconds that it is still reading.
    init(_ http: HTTPClient, base: String, token: @escaping @Sendable () -> String?, timeout: TimeAmount) {
        (self.http, self.token, self.timeout) = (http, token, timeout)
        var base = base[...]
        while base.hasSuffix("/") { base.removeLast() }
        self.base = String(base)
    }

    func greeting(of cluster: Side) async throws -> (DigestGreeting, bytes: Int) {
        let request = HTTPClientRequest(url: "\(self.base)/v1/digests?cluster=\(cluster.rawValue)")
        let (data, bytes) = try await self.send(request, nil)
        guard let greeting = try? DocumentCoding.decode(DigestGreetingDocument.self, from: data).greeting else {
            throw self.stranger
        }
        return (greeting, bytes)
    }

    func answer(_ request: DigestRequest) async throws -> (DigestAnswer, bytes: Int) {
        var question = HTTPClientRequest(url: "\(self.base)/v1/digests")
        question.method = .POST
        question.headers.add(name: "Content-Type", value: "application/json")
        let body = try DigestCoding.encode(DigestRequestDocument(request))
        let (data, bytes) = try await self.send(question, ByteBuffer(bytes: body))
        guard let answer = try? DocumentCoding.decode(DigestAnswerDocument.self, from: data).answer else {
            throw self.stranger
        }
        return (answer, bytes)
    }

    private var stranger: DigestError {
        DigestError(.version, "\(self.base) answers, but not as a reader of this version of cluster-sync does")
    }

    /// The body of the answer, and the bytes of both messages: their bodies, and their heads as text.
    private func send(_ request: HTTPClientRequest, _ body: ByteBuffer?) async throws -> (Data, bytes: Int) {
        var request = request
        if let token = self.token() { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body { request.body = .bytes(body) }
        let response: HTTPClientResponse
        let answer: ByteBuffer
        do {
            response = try await self.http.execute(request, timeout: self.timeout)
            answer = try await response.body.collect(upTo: Self.answerBytesMax)
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            if let error = error as? HTTPClientError, error == .deadlineExceeded {
                throw DigestError(.slow, "the peer at \(self.base) has not answered in time")
            }
            throw DigestError(.away, "no peer answers at \(self.base): \(AdminClient.words(error))")
        }
        let heads = request.url.utf8.count + Self.bytes(request.headers) + Self.bytes(response.headers)
        let data = Data(answer.readableBytesView)
        guard response.status == .ok else { throw self.refusal(response.status, data) }
        return (data, heads + (body?.readableBytes ?? 0) + answer.readableBytes)
    }

    /// Lines of a head: name, colon, blank, value, line end.
    private static func bytes(_ headers: HTTPHeaders) -> Int {
        headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    }

    private func refusal(_ status: HTTPResponseStatus, _ data: Data) -> DigestError {
        let fault = try? DocumentCoding.decode(ErrorDocument.self, from: data).error
        if status == .unauthorized || status == .forbidden {
            return DigestError(
                .unauthorized,
                "the peer at \(self.base) does not take the token: \(fault?.message ?? "it says no more") "
                    + "peer.token_file must hold its admin token"
            )
        }
        guard let fault else {
            return status.code >= 500
                ? DigestError(.away, "the peer at \(self.base) answers \(status.code) \(status.reasonPhrase)")
                : self.stranger
        }
        // The word by which the peer knows it; a reader of old has no such path.
        guard let code = fault.hint.flatMap({ DigestError.Code(rawValue: $0) }) else {
            return status == .notFound || status == .badRequest || status == .methodNotAllowed
                ? self.stranger : DigestError(.away, "the peer at \(self.base): \(fault.message)")
        }
        return DigestError(code, fault.message)
    }
}
