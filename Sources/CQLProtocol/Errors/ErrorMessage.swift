public import NIOCore

/// ERROR (native protocol v4 §9).
public struct ErrorMessage: Hashable, Sendable {
    /// What follows code and message.
    public enum Details: Hashable, Sendable {
        /// Nothing.
        case none
        /// Not enough replicas.
        case unavailable(consistency: Consistency, required: Int32, alive: Int32)
        /// A write timeout; `contentions` only where a server adds it to a conditional write.
        case writeTimeout(
            consistency: Consistency,
            received: Int32,
            blockFor: Int32,
            writeType: WriteType,
            contentions: UInt16? = nil
        )
        /// A read timeout.
        case readTimeout(consistency: Consistency, received: Int32, blockFor: Int32, dataPresent: Bool)
        /// A read failure (v4: with the number of failures; the map of later versions is not read here).
        case readFailure(
            consistency: Consistency,
            received: Int32,
            blockFor: Int32,
            failures: Int32,
            dataPresent: Bool
        )
        /// A write failure (v4: with the number of failures).
        case writeFailure(
            consistency: Consistency,
            received: Int32,
            blockFor: Int32,
            failures: Int32,
            writeType: WriteType
        )
        /// A user function failed.
        case functionFailure(keyspace: String, function: String, arguments: [String])
        /// A keyspace (then `table` is empty) or table exists already.
        case alreadyExists(keyspace: String, table: String)
        /// The id that is not prepared.
        case unprepared(id: ByteBuffer)
        /// A conditional write whose outcome is not known.
        case casWriteUnknown(consistency: Consistency, received: Int32, blockFor: Int32)
        /// The rest of an error whose code is not known here.
        case unknown(ByteBuffer)
    }

    /// The code.
    public var code: ErrorCode
    /// What the server says.
    public var message: String
    /// What the code's body adds.
    public var details: Details

    /// An error. The details must be those of the code.
    public init(_ code: ErrorCode, _ message: String, details: Details = .none) {
        self.code = code
        self.message = message
        self.details = details
    }

    init(from reader: inout WireReader) throws(CQLProtocolError) {
        code = ErrorCode(rawValue: try reader.int("error code"))
        message = try reader.string("error message")
        details = try Self.details(of: code, from: &reader)
    }

    private static func details(
        of code: ErrorCode,
        from reader: inout WireReader
    ) throws(CQLProtocolError) -> Details {
        switch code {
        case .serverError, .protocolError, .badCredentials, .overloaded, .isBootstrapping, .truncateError,
            .cdcWriteFailure, .syntaxError, .unauthorized, .invalid, .configError:
            return .none
        case .functionFailure:
            let keyspace = try reader.string("keyspace")
            let function = try reader.string("function")
            return .functionFailure(
                keyspace: keyspace,
                function: function,
                arguments: try reader.stringList("argument types")
            )
        case .alreadyExists:
            let keyspace = try reader.string("keyspace")
            return .alreadyExists(keyspace: keyspace, table: try reader.string("table"))
        case .unprepared: return .unprepared(id: try reader.shortBytes("prepared id"))
        case .unavailable, .writeTimeout, .readTimeout, .readFailure, .writeFailure, .casWriteUnknown:
            return try replicaDetails(of: code, from: &reader)
        default: return .unknown(reader.rest())
        }
    }

    /// The bodies that begin with a consistency level and two counts of replicas.
    private static func replicaDetails(
        of code: ErrorCode,
        from reader: inout WireReader
    ) throws(CQLProtocolError) -> Details {
        let consistency = try reader.consistency("consistency")
        let first = try reader.int("replicas")
        let second = try reader.int("replicas")
        switch code {
        case .unavailable: return .unavailable(consistency: consistency, required: first, alive: second)
        case .writeTimeout:
            let type = WriteType(rawValue: try reader.string("write type"))
            return .writeTimeout(
                consistency: consistency,
                received: first,
                blockFor: second,
                writeType: type,
                contentions: type == .cas && reader.remaining > 0 ? try reader.short("contentions") : nil
            )
        case .readTimeout:
            return .readTimeout(
                consistency: consistency,
                received: first,
                blockFor: second,
                dataPresent: try reader.byte("data present") != 0
            )
        case .readFailure:
            let failures = try reader.int("failures")
            return .readFailure(
                consistency: consistency,
                received: first,
                blockFor: second,
                failures: failures,
                dataPresent: try reader.byte("data present") != 0
            )
        case .writeFailure:
            let failures = try reader.int("failures")
            return .writeFailure(
                consistency: consistency,
                received: first,
                blockFor: second,
                failures: failures,
                writeType: WriteType(rawValue: try reader.string("write type"))
            )
        default: return .casWriteUnknown(consistency: consistency, received: first, blockFor: second)
        }
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        writer.int(code.rawValue)
        try writer.string(message)
        switch details {
        case .none: break
        case .unavailable(let consistency, let required, let alive):
            writer.replicas(consistency, required, alive)
        case .writeTimeout(let consistency, let received, let blockFor, let type, let contentions):
            writer.replicas(consistency, received, blockFor)
            try writer.string(type.rawValue)
            if let contentions { writer.short(contentions) }
        case .readTimeout(let consistency, let received, let blockFor, let dataPresent):
            writer.replicas(consistency, received, blockFor)
            writer.byte(dataPresent ? 1 : 0)
        case .readFailure(let consistency, let received, let blockFor, let failures, let dataPresent):
            writer.replicas(consistency, received, blockFor)
            writer.int(failures)
            writer.byte(dataPresent ? 1 : 0)
        case .writeFailure(let consistency, let received, let blockFor, let failures, let type):
            writer.replicas(consistency, received, blockFor)
            writer.int(failures)
            try writer.string(type.rawValue)
        case .functionFailure(let keyspace, let function, let arguments):
            try writer.string(keyspace)
            try writer.string(function)
            try writer.stringList(arguments)
        case .alreadyExists(let keyspace, let table):
            try writer.string(keyspace)
            try writer.string(table)
        case .unprepared(let id): try writer.shortBytes(id)
        case .casWriteUnknown(let consistency, let received, let blockFor):
            writer.replicas(consistency, received, blockFor)
        case .unknown(let rest): writer.buffer.writeImmutableBuffer(rest)
        }
    }
}

extension WireWriter {
    fileprivate mutating func replicas(_ consistency: Consistency, _ first: Int32, _ second: Int32) {
        self.consistency(consistency)
        int(first)
        int(second)
    }
}
