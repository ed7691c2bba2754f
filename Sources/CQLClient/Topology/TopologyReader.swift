import CQLProtocol
import NIOCore

/// Reads nodes out of rows of `system.local`, `system.peers` and `system.peers_v2`.
enum TopologyReader {
    static func node(id: NodeID, row: Row) -> ClusterTopology.Node {
        ClusterTopology.Node(
            id: id,
            hostID: self.uuid(row["host_id"]),
            datacenter: self.text(row["data_center"]),
            rack: self.text(row["rack"]),
            releaseVersion: self.text(row["release_version"]),
            tokens: self.texts(row["tokens"])
        )
    }

    /// A peer; nil for a row without an address, which a node that is joining or leaving can have.
    static func peer(_ row: Row, portOfSiblings: Int) -> ClusterTopology.Node? {
        let address = [row["native_address"], row["rpc_address"], row["peer"]].lazy
            .compactMap { $0.flatMap { self.address($0) } }
            .first { $0 != "0.0.0.0" && $0 != "::" }
        guard let address else { return nil }
        // A table without ports leaves the one on which its node's sibling has answered.
        let port = self.int(row["native_port"])
        return self.node(id: NodeID(host: address, port: port ?? portOfSiblings), row: row)
    }

    static func text(_ cell: ByteBuffer?) -> String? {
        cell.map { String(decoding: $0.readableBytesView, as: UTF8.self) }
    }

    /// An int.
    static func int(_ cell: ByteBuffer?) -> Int? {
        cell.flatMap { $0.getInteger(at: $0.readerIndex, as: Int32.self) }.map(Int.init)
    }

    static func uuid(_ cell: ByteBuffer?) -> CQLUUID? {
        guard let cell, cell.readableBytes == 16,
            let high = cell.getInteger(at: cell.readerIndex, as: UInt64.self),
            let low = cell.getInteger(at: cell.readerIndex + 8, as: UInt64.self)
        else { return nil }
        return CQLUUID(high: high, low: low)
    }

    /// A set of texts: a count, then each with its length.
    static func texts(_ cell: ByteBuffer?) -> [String] {
        guard var cell, let count = cell.readInteger(as: Int32.self), count > 0 else { return [] }
        var texts: [String] = []
        for _ in 0..<count {
            guard let length = cell.readInteger(as: Int32.self), length >= 0,
                let text = cell.readString(length: Int(length))
            else { break }
            texts.append(text)
        }
        return texts
    }

    /// A map of texts: a count, then each key and each value with its length.
    static func textMap(_ cell: ByteBuffer?) -> [String: String] {
        guard var cell, let count = cell.readInteger(as: Int32.self), count > 0 else { return [:] }
        var map: [String: String] = [:]
        for _ in 0..<count {
            guard let keyLength = cell.readInteger(as: Int32.self), keyLength >= 0,
                let key = cell.readString(length: Int(keyLength)),
                let valueLength = cell.readInteger(as: Int32.self), valueLength >= 0,
                let value = cell.readString(length: Int(valueLength))
            else { break }
            map[key] = value
        }
        return map
    }

    static func address(_ bytes: ByteBuffer) -> String? {
        guard bytes.readableBytes == 4 || bytes.readableBytes == 16 else { return nil }
        return try? SocketAddress(packedIPAddress: bytes, port: 0).ipAddress
    }
}
