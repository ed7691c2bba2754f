public import NIOCore

extension CQLValue {
    /// The bytes of the value in a type; `nil` is null. A value that the type does not have is an error.
    public func encoded(as type: DataType) throws(CQLProtocolError) -> ByteBuffer? {
        if self == .null { return nil }
        var writer = WireWriter(version: .v4)
        try write(to: &writer, as: type)
        return writer.buffer
    }

    private func write(to writer: inout WireWriter, as type: DataType) throws(CQLProtocolError) {
        switch (self, type) {
        case (.empty, _): break
        case (.blob(let bytes), .blob), (.blob(let bytes), .custom): writer.buffer.writeImmutableBuffer(bytes)
        case (_, .custom(let name)):
            guard let known = DataType(marshalClass: name) else { throw mismatch(type) }
            try write(to: &writer, as: known)
        case (_, .native): try writeNative(to: &writer, as: type)
        case (.list(let elements), .list(let element)), (.set(let elements), .set(let element)):
            try writer.intCount(elements.count, "elements")
            for value in elements { try writer.bytes(try value.encoded(as: element)) }
        case (.map(let entries), .map(let key, let value)):
            try writer.intCount(entries.count, "entries")
            for entry in entries {
                try writer.bytes(try entry.key.encoded(as: key))
                try writer.bytes(try entry.value.encoded(as: value))
            }
        case (.tuple(let components), .tuple(let types)):
            try Self.write(components, as: types, to: &writer)
        case (.tuple(let components), .udt(_, _, let fields)):
            try Self.write(components, as: fields.map(\.type), to: &writer)
        default: throw mismatch(type)
        }
    }

    private static func write(
        _ components: [CQLValue],
        as types: [DataType],
        to writer: inout WireWriter
    ) throws(CQLProtocolError) {
        guard components.count <= types.count else {
            throw CQLProtocolError(.notEncodable, "\(components.count) components for \(types.count)")
        }
        for (component, type) in zip(components, types) { try writer.bytes(try component.encoded(as: type)) }
    }

    private func writeNative(to writer: inout WireWriter, as type: DataType) throws(CQLProtocolError) {
        switch (self, type) {
        case (.text(let text), .varchar): writer.buffer.writeString(text)
        case (.text(let text), .ascii):
            guard text.utf8.allSatisfy({ $0 < 0x80 }) else { throw mismatch(type) }
            writer.buffer.writeString(text)
        case (.tinyint(let value), .tinyint): writer.integer(value)
        case (.smallint(let value), .smallint): writer.integer(value)
        case (.int(let value), .int): writer.integer(value)
        case (.bigint(let value), .bigint), (.bigint(let value), .counter), (.timestamp(let value), .timestamp),
            (.time(let value), .time):
            writer.integer(value)
        case (.date(let days), .date): writer.integer(days)
        case (.float(let value), .float): writer.integer(value.bitPattern)
        case (.double(let value), .double): writer.integer(value.bitPattern)
        case (.boolean(let value), .boolean): writer.byte(value ? 1 : 0)
        case (.uuid(let value), .uuid), (.uuid(let value), .timeuuid): writer.uuid(value)
        case (.varint(let value), .varint): writer.buffer.writeBytes(value.bytes)
        case (.decimal(let value), .decimal):
            writer.int(value.scale)
            writer.buffer.writeBytes(value.unscaled.bytes)
        case (.inet(let address), .inet): writer.buffer.writeImmutableBuffer(address.bytes)
        case (.duration(let value), .duration): value.write(to: &writer.buffer)
        case (.blob(let bytes), _) where !type.isKnownNative: writer.buffer.writeImmutableBuffer(bytes)
        default: throw mismatch(type)
        }
    }

    private func mismatch(_ type: DataType) -> CQLProtocolError {
        CQLProtocolError(.notEncodable, "value that \(type) does not have")
    }
}
