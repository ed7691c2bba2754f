import NIOCore

/// What entries of a journal refer to instead of repeating it: a statement (its keyspace and text), or under whose name and in
/// which keyspace a client's requests run. Never a password.
struct JournalDefinition: Hashable {
    /// A statement's keyspace, or the user's name.
    var qualifier: String?
    /// A statement's text, or the keyspace.
    var text: String?

    /// No more bytes than this are needed for it.
    var byteCount: Int { 8 + (self.qualifier?.utf8.count ?? 0) + (self.text?.utf8.count ?? 0) }

    init(qualifier: String?, text: String?) {
        self.qualifier = qualifier
        self.text = text
    }

    /// Reads what ``encoded`` wrote; nil where the bytes make no sense.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var buffer = ByteBuffer(bytes: bytes)
        guard let qualifier = Self.read(&buffer), let text = Self.read(&buffer), buffer.readableBytes == 0 else {
            return nil
        }
        (self.qualifier, self.text) = (qualifier, text)
    }

    var encoded: ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(self.byteCount)
        for text in [self.qualifier, self.text] {
            buffer.writeInteger(Int32(truncatingIfNeeded: text?.utf8.count ?? -1))
            if let text { buffer.writeString(text) }
        }
        return buffer
    }

    private static func read(_ buffer: inout ByteBuffer) -> String?? {
        guard let length = buffer.readInteger(as: Int32.self) else { return nil }
        guard length >= 0 else { return .some(nil) }
        return buffer.readString(length: Int(length)).map { .some($0) }
    }
}
