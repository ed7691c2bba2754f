/// A node of the tries of `Partitions.db` and `Rows.db` (Cassandra's `BtiFormat.md`, `TrieNode`).
///
/// Children lie before their parents, so that every way down ends.
struct TrieNode {
    /// One way down.
    struct Child {
        let byte: UInt8
        let place: Int64
    }

    /// Four bits that say what the payload is; 0 for none.
    let payloadBits: UInt8
    /// Where the payload begins, from the node on.
    let payloadOffset: Int
    /// The ways down, by byte.
    let children: [Child]

    /// Bytes of the longest node with its payload.
    static var bytesMax: Int { 3 + 256 * 8 + 32 }

    /// The node at `place`, whose bytes begin the cursor's.
    init(_ cursor: inout ByteCursor, at place: Int64) throws(Fault) {
        let head = try cursor.byte("a node")
        let low = head & 0x0f
        switch head >> 4 {
        case 0:
            self.payloadBits = low
            self.children = []
        case 1:
            self.payloadBits = 0
            self.children = [try Self.child(&cursor, delta: UInt64(low), at: place)]
        case 3:
            self.payloadBits = 0
            let delta = UInt64(low) << 8 | UInt64(try cursor.byte("a node"))
            self.children = [try Self.child(&cursor, delta: delta, at: place)]
        case 2, 4:
            self.payloadBits = low
            let byte = try cursor.byte("a node")
            let delta = try Self.number(&cursor, bytes: head >> 4 == 2 ? 1 : 2)
            self.children = [try Self.child(byte, delta: delta, at: place, cursor)]
        case 5...9:
            self.payloadBits = low
            self.children = try Self.sparse(&cursor, bytes: [1, nil, 2, 3, 5][Int(head >> 4) - 5], at: place)
        default:
            self.payloadBits = low
            self.children = try Self.dense(&cursor, bytes: [nil, 2, 3, 4, 5, 8][Int(head >> 4) - 10], at: place)
        }
        self.payloadOffset = cursor.position
    }

    private static func child(_ cursor: inout ByteCursor, delta: UInt64, at place: Int64) throws(Fault) -> Child {
        try self.child(try cursor.byte("a node"), delta: delta, at: place, cursor)
    }

    private static func child(
        _ byte: UInt8,
        delta: UInt64,
        at place: Int64,
        _ cursor: ByteCursor
    ) throws(Fault) -> Child {
        guard delta > 0, delta <= UInt64(place) else {
            throw cursor.fault(.malformed, "a node", detail: "its child would lie \(delta) bytes before byte \(place)")
        }
        return Child(byte: byte, place: place - Int64(delta))
    }

    private static func number(_ cursor: inout ByteCursor, bytes: Int) throws(Fault) -> UInt64 {
        var value: UInt64 = 0
        for _ in 0..<bytes { value = value << 8 | UInt64(try cursor.byte("a node")) }
        return value
    }

    /// Distances of `bytes` bytes each, or of twelve bits.
    private static func distances(_ cursor: inout ByteCursor, _ count: Int, bytes: Int?) throws(Fault) -> [UInt64] {
        var distances: [UInt64] = []
        distances.reserveCapacity(count)
        if let bytes {
            for _ in 0..<count { distances.append(try Self.number(&cursor, bytes: bytes)) }
            return distances
        }
        var pending: UInt8 = 0
        for place in 0..<count {
            let byte = try cursor.byte("a node")
            if place % 2 == 0 {
                pending = try cursor.byte("a node")
                distances.append(UInt64(byte) << 4 | UInt64(pending >> 4))
            } else {
                distances.append(UInt64(pending & 0x0f) << 8 | UInt64(byte))
            }
        }
        return distances
    }

    private static func sparse(_ cursor: inout ByteCursor, bytes: Int?, at place: Int64) throws(Fault) -> [Child] {
        let count = Int(try cursor.byte("a node"))
        var labels: [UInt8] = []
        for _ in 0..<count {
            let label = try cursor.byte("a node")
            if let last = labels.last, label <= last { throw cursor.fault(.malformed, "a node's order") }
            labels.append(label)
        }
        var children: [Child] = []
        for (label, delta) in zip(labels, try Self.distances(&cursor, count, bytes: bytes)) {
            children.append(try Self.child(label, delta: delta, at: place, cursor))
        }
        return children
    }

    /// A distance of 0 is no child.
    private static func dense(_ cursor: inout ByteCursor, bytes: Int?, at place: Int64) throws(Fault) -> [Child] {
        let first = Int(try cursor.byte("a node"))
        let count = Int(try cursor.byte("a node")) + 1
        guard first + count <= 256 else { throw cursor.fault(.malformed, "a node's range") }
        var children: [Child] = []
        for (index, delta) in try Self.distances(&cursor, count, bytes: bytes).enumerated() where delta > 0 {
            children.append(try Self.child(UInt8(first + index), delta: delta, at: place, cursor))
        }
        return children
    }
}

extension ByteCursor {
    /// A signed big-endian number of a few bytes.
    mutating func sizedInteger(_ bytes: Int, _ what: StaticString) throws(Fault) -> Int64 {
        guard (1...8).contains(bytes) else { throw self.fault(.malformed, what, detail: "\(bytes) bytes") }
        var value = Int64(Int8(bitPattern: try self.byte(what)))
        for _ in 1..<bytes { value = value << 8 | Int64(try self.byte(what)) }
        return value
    }
}
