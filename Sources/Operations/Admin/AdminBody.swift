import FoundationEssentials
import Hummingbird
import NIOCore

/// What a request to the admin port brings.
extension AdminPaths {
    /// The JSON object that the body must be.
    func object(
        of request: Request,
        bytesMax: Int = AdminServer.bodyBytesMax
    ) async throws -> [String: JSONValue] {
        try self.object(in: try await self.body(of: request, bytesMax: bytesMax))
    }

    /// The JSON object that the body must be where there is one; no body is an empty object.
    func optionalObject(of request: Request) async throws -> [String: JSONValue] {
        let body = try await self.body(of: request)
        return body.readableBytes == 0 ? [:] : try self.object(in: body)
    }

    private func object(in body: ByteBuffer) throws(AdminError) -> [String: JSONValue] {
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: Data(body.readableBytesView))
        } catch {
            throw AdminError(.invalidDocument, "The body is not valid JSON.", hint: "Nothing was changed.")
        }
        guard case .object(let object) = value else {
            throw AdminError(.invalidDocument, "The body must be a JSON object.", hint: "Nothing was changed.")
        }
        return object
    }

    private func body(
        of request: Request,
        bytesMax: Int = AdminServer.bodyBytesMax
    ) async throws -> ByteBuffer {
        do {
            return try await request.body.collect(upTo: bytesMax)
        } catch let error as NIOTooManyBytesError {
            throw error
        } catch let error as HTTPError {
            throw error
        } catch {
            throw AdminError(
                .invalidDocument,
                "The body cannot be read: it ends early, or is not framed as its headers say.",
                hint: "Nothing was changed."
            )
        }
    }
}
