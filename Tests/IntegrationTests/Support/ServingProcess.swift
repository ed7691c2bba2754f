import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Operations

/// A process of its own with an admin port.
protocol ServingProcess: Sendable {
    /// `http://` and the port's address.
    var base: String { get }
}

extension ServingProcess {
    /// The document of a path and its status.
    func ask<Document: Decodable>(
        _ path: String,
        post body: String? = nil,
        as type: Document.Type = Document.self
    ) async throws -> (Document, HTTPResponseStatus) {
        var request = HTTPClientRequest(url: self.base + path)
        if let body {
            request.method = .POST
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let data = Data(try await response.body.collect(upTo: 4 << 20).readableBytesView)
        return (try DocumentCoding.decode(type, from: data), response.status)
    }
}
