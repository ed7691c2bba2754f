import NIOCore

/// A file of tries. Not for two threads at once.
struct TrieFile {
    /// A node that has something to say.
    struct Payload {
        let bits: UInt8
        let bytes: ByteBuffer
        /// Where it lies in the file.
        let place: Int64
    }

    let file: ComponentFile
    private var pages: PageWindow

    init(_ file: ComponentFile) {
        self.file = file
        self.pages = PageWindow(file)
    }

    private mutating func node(_ place: Int64) throws(SSTableError) -> (node: TrieNode, bytes: ByteBuffer) {
        guard place >= 0, place < self.file.size else {
            throw SSTableError(.malformed, self.file.path, at: place, "a node would lie outside of the file")
        }
        let bytes = try self.pages.bytes(at: place, Int(min(Int64(TrieNode.bytesMax), self.file.size - place)))
        do throws(Fault) {
            let node = try bytes.withCursor { (cursor) throws(Fault) in try TrieNode(&cursor, at: place) }
            return (node, bytes)
        } catch {
            throw SSTableError(error, self.file.path, from: place)
        }
    }

    private static func payload(_ node: TrieNode, _ bytes: ByteBuffer, _ place: Int64) -> Payload? {
        guard node.payloadBits != 0 else { return nil }
        var payload = bytes
        payload.moveReaderIndex(forwardBy: node.payloadOffset)
        return Payload(bits: node.payloadBits, bytes: payload, place: place + Int64(node.payloadOffset))
    }

    /// The first payload at or behind a key, in the order of keys.
    ///
    /// A trie has no more of its keys than tells them apart: where one ends above the sought key's end it may belong to a key
    /// that stands before it.
    mutating func first(atOrAfter key: [UInt8], root: Int64) throws(SSTableError) -> Payload? {
        var place = root
        var greater: Int64?
        for byte in key {
            let (node, bytes) = try self.node(place)
            if node.children.isEmpty { return Self.payload(node, bytes, place) }
            if let child = node.children.first(where: { $0.byte > byte }) { greater = child.place }
            guard let child = node.children.first(where: { $0.byte == byte }) else {
                return try greater.map { (place) throws(SSTableError) in try self.lowest(place) } ?? nil
            }
            place = child.place
        }
        return try self.lowest(place)
    }

    /// The payload of the last key before another one and its beginnings; nil where there is none.
    mutating func last(before key: [UInt8], root: Int64) throws(SSTableError) -> Payload? {
        var place = root
        var lesser: Int64?
        for byte in key {
            let children = try self.node(place).node.children
            if let child = children.last(where: { $0.byte < byte }) { lesser = child.place }
            guard let child = children.first(where: { $0.byte == byte }) else { break }
            place = child.place
        }
        guard var place = lesser else { return nil }
        while true {
            let (node, bytes) = try self.node(place)
            if let child = node.children.last {
                place = child.place
            } else if let payload = Self.payload(node, bytes, place) {
                return payload
            } else {
                throw SSTableError(
                    .malformed,
                    self.file.path,
                    at: place,
                    "a node has neither a child nor anything to say"
                )
            }
        }
    }

    private mutating func lowest(_ start: Int64) throws(SSTableError) -> Payload? {
        var place = start
        while true {
            let (node, bytes) = try self.node(place)
            if let payload = Self.payload(node, bytes, place) { return payload }
            guard let child = node.children.first else {
                throw SSTableError(
                    .malformed,
                    self.file.path,
                    at: place,
                    "a node has neither a child nor anything to say"
                )
            }
            place = child.place
        }
    }

    /// Hands all payloads to `body` in the order of their keys. More than `limit` of them are an error.
    mutating func forEach(
        root: Int64,
        limit: Int64,
        _ body: (Payload) throws(SSTableError) -> Void
    ) throws(SSTableError) {
        var open = [root]
        var payloads: Int64 = 0
        // In a tree every node has bytes of its own; more visits than bytes are a trie whose branches meet again.
        var visits: Int64 = 0
        while let place = open.popLast() {
            let (node, bytes) = try self.node(place)
            visits += 1
            if let payload = Self.payload(node, bytes, place) {
                payloads += 1
                try body(payload)
            }
            guard payloads <= limit, visits <= self.file.size else {
                throw SSTableError(.malformed, self.file.path, at: place, "the trie has more entries than it says")
            }
            open += node.children.reversed().map(\.place)
        }
    }
}

/// A part of a file around the place that was read last: tries are read backwards.
private struct PageWindow {
    private static var bytesBefore: Int64 { 28 << 10 }
    private static var bytesInAll: Int64 { 32 << 10 }

    private let file: ComponentFile
    private var start: Int64 = 0
    private var window = ByteBuffer()

    init(_ file: ComponentFile) { self.file = file }

    mutating func bytes(at place: Int64, _ count: Int) throws(SSTableError) -> ByteBuffer {
        if place < self.start || place + Int64(count) > self.start + Int64(self.window.readableBytes) {
            self.start = max(0, place - Self.bytesBefore)
            let size = max(Self.bytesInAll, place - self.start + Int64(count))
            self.window = try self.file.bytes(at: self.start, Int(min(size, self.file.size - self.start)), "a node")
        }
        return self.window.getSlice(at: Int(place - self.start), length: count) ?? ByteBuffer()
    }
}
