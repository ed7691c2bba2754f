import ShadowJournal
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A folder that goes with the test.
final class Scratch {
    let path: String

    /// - Parameter inMemory: on a memory disk where there is one, for tests that open a journal hundreds of times: each time
    ///   waits for the disk.
    init(inMemory: Bool = false) {
        let parent = inMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/shadow-journal-XXXXXX".utf8CString)
        self.path = template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, mkdtemp(base) != nil else { return "/nonexistent" }
            return String(cString: base)
        }
    }

    deinit { Self.remove(self.path) }

    var journal: String { self.path + "/journal" }

    /// The files of a log.
    func files(_ log: String = "target-0") -> [String] { Self.names(in: "\(self.journal)/\(log)") }

    func file(_ name: String, of log: String = "target-0") -> String { "\(self.journal)/\(log)/\(name)" }

    /// A second journal with the bytes of the first, as they are now.
    func copy(to name: String) -> String {
        let target = "\(self.path)/\(name)"
        Self.copy(self.journal, target)
        return target
    }

    /// The descriptor by which this process has a file open.
    static func descriptor(of file: String) -> Int32? {
        (3..<1_024).first { self.target(ofDescriptor: $0) == file }
    }

    private static func target(ofDescriptor descriptor: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1_024) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            let count = readlink("/proc/self/fd/\(descriptor)", base, buffer.count)
            return String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func remove(_ path: String) {
        guard Self.isFolder(path) else {
            unlink(path)
            return
        }
        chmod(path, 0o700)
        for name in Self.names(in: path) { Self.remove("\(path)/\(name)") }
        rmdir(path)
    }

    static func copy(_ source: String, _ target: String) {
        guard Self.isFolder(source) else {
            Self.write(Self.read(source), to: target)
            return
        }
        mkdir(target, 0o700)
        for name in Self.names(in: source) { Self.copy("\(source)/\(name)", "\(target)/\(name)") }
    }

    static func read(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
            count = max(0, SystemRead.read(file, UnsafeMutableRawPointer(buffer.baseAddress), buffer.count))
        }
    }

    static func write(_ bytes: [UInt8], to path: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        _ = bytes.withUnsafeBytes { SystemRead.write(file, $0.baseAddress, $0.count) }
    }
}

/// A record as a test wrote or read it.
struct Entry: Equatable, CustomStringConvertible {
    var sequence: UInt64
    var state: UInt8
    var payload: [UInt8]

    var description: String { "#\(self.sequence)(\(self.state), \(self.payload.count) bytes)" }
}

extension JournalState {
    static var waiting: Self { .init(rawValue: 1) }
    static var sent: Self { .init(rawValue: 2) }
}

extension JournalLog {
    /// Reserves and appends.
    func add(
        _ payload: [UInt8],
        kind: UInt8 = 7,
        state: JournalState = .waiting,
        time: Int64 = 1_000,
        now: Int64 = 1_000
    ) throws -> JournalPosition {
        _ = try self.reserve(Self.byteCount(ofRecord: payload.count), now: now).get()
        return payload.withUnsafeBytes { self.append(kind: kind, state: state, time: time, $0) }
    }

    /// All open records, in order.
    func open() -> [Entry] {
        var entries: [Entry] = []
        var position: JournalPosition?
        while let view = self.next(after: position) {
            entries.append(Entry(sequence: view.sequence, state: view.state.rawValue, payload: Array(view.payload)))
            position = view.position
        }
        return entries
    }
}

/// Small segments, so that a test sees several.
func small(bytesMax: Int = 1 << 20) -> JournalConfiguration {
    JournalConfiguration(segmentBytes: 4_096, bytesMax: bytesMax)
}

extension JournalDirectory {
    convenience init(at path: String) throws { try self.init(FilePath(path), sync: .never) }
}

/// The system's calls under a name that no method of a test type hides.
enum SystemRead {
    static func read(_ file: Int32, _ base: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
        Glibc.read(file, base, count)
        #else
        Musl.read(file, base, count)
        #endif
    }

    static func write(_ file: Int32, _ base: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
        Glibc.write(file, base, count)
        #else
        Musl.write(file, base, count)
        #endif
    }
}
