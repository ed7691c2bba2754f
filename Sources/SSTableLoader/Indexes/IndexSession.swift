public import CQLClient
public import CQLProtocol
import NIOCore

/// What the indexes of a cluster are read and changed with.
public protocol IndexSession: Sendable {
    /// Runs a read.
    ///
    /// - Parameter values: texts for the bind markers.
    func read(_ text: String, _ values: [String]) async throws -> Rows
    /// Runs a change of the schema that does no harm when it is run twice.
    func change(_ text: String) async throws
}

extension CQLSession: IndexSession {
    /// Runs a read on one node.
    public func read(_ text: String, _ values: [String]) async throws -> Rows {
        let bound = values.map { BoundValue.value(ByteBuffer(string: $0)) }
        guard let rows = try await self.query(text, bound, consistency: .localOne, isIdempotent: true).rows else {
            throw IndexError(.malformed, "a SELECT was answered without rows")
        }
        return rows
    }

    /// Runs a change on one node.
    public func change(_ text: String) async throws { try await self.query(text, isIdempotent: true) }
}

extension Row {
    func text(_ name: String) throws -> String {
        guard case .text(let text) = try self.value(name) else { throw IndexError(.malformed, "\(name) is no text") }
        return text
    }

    func texts(_ name: String) throws -> [String: String] {
        guard case .map(let entries) = try self.value(name) else { return [:] }
        var texts: [String: String] = [:]
        for case (.text(let key), .text(let value)) in entries.map({ ($0.key, $0.value) }) { texts[key] = value }
        return texts
    }
}
