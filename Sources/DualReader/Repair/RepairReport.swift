import LiveTables
import NIOCore
import Synchronization

/// What a repair of a row came to.
public enum RepairOutcome: Sendable, Hashable {
    /// Both clusters agreed when the row was read again; nothing was written.
    case agrees
    /// It was written, and both clusters agree since; the notes say what an operator should know of it.
    case repaired(notes: [String])
    /// A dry run: these statements would be written.
    case listed(statements: Int)
    /// Something of it was not written, or the clusters differ all the same.
    case unrepaired(reason: String)
}

/// The file that tells of each repair, one JSON object a line. Safe from any thread; a line is durable after ``sync()``.
public final class RepairReport: Sendable {
    /// When the file is put aside.
    public struct Rotation: Sendable, Hashable {
        /// The length that is not exceeded by much, in bytes.
        public var bytesMax: Int64
        /// Files that were put aside and are kept: `path.1` is the newest.
        public var kept: Int

        /// A rotation.
        public init(bytesMax: Int64 = 64 << 20, kept: Int = 10) {
            self.bytesMax = max(1, bytesMax)
            self.kept = max(1, kept)
        }
    }

    private struct State: ~Copyable {
        var file: DurableFile
        var lines = 0
    }

    /// The file.
    public let path: String
    private let rotation: Rotation
    private let state: Mutex<State>

    /// Opens or makes a file; what it holds is kept.
    ///
    /// - Throws: ``CompareError`` where the system does not allow it.
    public init(path: String, rotation: Rotation = Rotation()) throws {
        self.path = path
        self.rotation = rotation
        do {
            self.state = Mutex(State(file: try DurableFile(path)))
            try DurableFile.syncFolder(of: path)
        } catch { throw CompareError(.folder, "the report of repairs cannot be written: \(error)") }
    }

    /// Lines that were added by this process.
    public var count: Int { self.state.withLock { $0.lines } }

    /// Adds a line.
    ///
    /// - Throws: ``CompareError`` where it cannot be written.
    func append(_ line: JSONLine) throws {
        try self.state.withLock { state in
            do {
                if state.file.size >= self.rotation.bytesMax {
                    // What was told is durable before its file gets another name.
                    try state.file.sync()
                    try DurableFile.rotate(self.path, kept: self.rotation.kept)
                    state.file = try DurableFile(self.path)
                    try DurableFile.syncFolder(of: self.path)
                }
                try state.file.append(Array(line.text.utf8) + [UInt8(ascii: "\n")])
            } catch {
                throw CompareError(.folder, "the report of repairs cannot be written: \(error)")
            }
            state.lines += 1
        }
    }

    /// Returns when the disk has all lines.
    ///
    /// - Throws: ``CompareError`` where it has not.
    public func sync() throws {
        try self.state.withLock { state in
            do { try state.file.sync() } catch {
                throw CompareError(.folder, "the report of repairs cannot be written: \(error)")
            }
        }
    }
}
