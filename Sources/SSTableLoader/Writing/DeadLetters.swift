public import LiveTables
public import NIOCore
import SSTable
import Synchronization

/// What could not be written, one JSON object a line, so that an operator can see it and write it later.
///
/// It may be asked from any thread; a lock makes lines whole. A line is durable after ``sync()``.
public final class DeadLetters: Sendable {
    /// One line.
    public struct Letter: Sendable, Hashable {
        /// The keyspace of the target.
        public var keyspace: String
        /// The table of the target.
        public var table: String
        /// The bytes of the partition key.
        public var key: ByteBuffer
        /// The parts of the key as texts.
        public var readableKey: [String]
        /// The statement with its values; nil where no statement says it.
        public var statement: TargetStatement?
        /// Why it was not written.
        public var reason: String
        /// When that was found out, in seconds since 1970.
        public var at: Int64

        /// A line of known parts.
        public init(
            keyspace: String,
            table: String,
            key: ByteBuffer,
            readableKey: [String],
            statement: TargetStatement?,
            reason: String,
            at: Int64
        ) {
            self.keyspace = keyspace
            self.table = table
            self.key = key
            self.readableKey = readableKey
            self.statement = statement
            self.reason = reason
            self.at = at
        }
    }

    /// The limits.
    public struct Limits: Sendable, Hashable {
        /// Bytes of a file, after which a new one is begun. The old one is kept, with a number behind its name.
        public var fileBytesMax: Int64 = 64 << 20

        /// The defaults.
        public init() {}
    }

    private struct State: ~Copyable {
        var file: DurableFile
        var isSynced = true
        var count = 0
    }

    /// The file that is written to.
    public let path: String
    /// Whether it held lines when it was opened.
    public let holdsEarlier: Bool
    private let limits: Limits
    private let state: Mutex<State>

    /// Opens or makes a file; what it holds is kept.
    ///
    /// - Throws: where the system does not allow it; the description names the file.
    public init(path: String, limits: Limits = Limits()) throws {
        self.path = path
        self.limits = limits
        let file = try DurableFile(path)
        self.holdsEarlier = file.size > 0
        try DurableFile.syncFolder(of: path)
        self.state = Mutex(State(file: file))
    }

    /// Lines that were added by this process.
    public var count: Int { self.state.withLock { $0.count } }

    /// Adds a line.
    ///
    /// - Throws: where it cannot be written; then it is not there, and what it tells of is not done.
    public func append(_ letter: Letter) throws {
        let line = letter.line
        try self.state.withLock { state in
            if state.file.size > 0, state.file.size + Int64(line.count) > self.limits.fileBytesMax {
                try state.file.sync()
                var number = 1
                while DurableFile.exists("\(self.path).\(number)") { number += 1 }
                try DurableFile.move(self.path, to: "\(self.path).\(number)")
                state.file = try DurableFile(self.path)
                try DurableFile.syncFolder(of: self.path)
            }
            try state.file.append(line)
            state.isSynced = false
            state.count += 1
        }
    }

    /// Returns when the disk has all lines.
    public func sync() throws {
        try self.state.withLock { state in
            guard !state.isSynced else { return }
            try state.file.sync()
            state.isSynced = true
        }
    }
}

extension DeadLetters.Letter {
    /// The line with its end.
    var line: [UInt8] {
        var bytes = Array("{\"keyspace\":".utf8)
        JSONText.append(self.keyspace, to: &bytes)
        bytes += ",\"table\":".utf8
        JSONText.append(self.table, to: &bytes)
        bytes += ",\"key\":\"0x\(TableColumns.hexadecimal(self.key))\",\"readable_key\":[".utf8
        for (index, part) in self.readableKey.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONText.append(part, to: &bytes)
        }
        bytes += "],\"statement\":".utf8
        if let statement {
            JSONText.append(statement.text, to: &bytes)
            let values = statement.values.map { $0.map { "\"0x\(TableColumns.hexadecimal($0))\"" } ?? "null" }
            bytes += ",\"values\":[\(values.joined(separator: ","))],\"timestamp\":\(statement.timestamp)".utf8
        } else {
            bytes += "null,\"values\":[],\"timestamp\":null".utf8
        }
        bytes += ",\"reason\":".utf8
        JSONText.append(self.reason, to: &bytes)
        bytes += ",\"at\":\(self.at)}\n".utf8
        return bytes
    }
}
