/// Why an SSTable cannot be opened or read: what, in which file and where, and what to do.
public struct SSTableError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure. Opaque, so that a new one breaks nobody.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String {
            case missing, denied, system, name, unsupported, truncated, checksum, malformed, oversized, order
        }

        private let value: Value

        private init(_ value: Value) { self.value = value }

        /// A file or folder that is needed does not exist.
        public static var missing: Self { .init(.missing) }
        /// This user may not read it.
        public static var denied: Self { .init(.denied) }
        /// A system call failed.
        public static var system: Self { .init(.system) }
        /// The name is not that of a component of an SSTable.
        public static var name: Self { .init(.name) }
        /// A format, compressor, partitioner or type that is not read here.
        public static var unsupported: Self { .init(.unsupported) }
        /// A file ends before what it holds does.
        public static var truncated: Self { .init(.truncated) }
        /// A checksum does not match its bytes.
        public static var checksum: Self { .init(.checksum) }
        /// Bytes say what the format does not allow.
        public static var malformed: Self { .init(.malformed) }
        /// A length or a count is above its limit.
        public static var oversized: Self { .init(.oversized) }
        /// Partitions, rows or columns are not in their order.
        public static var order: Self { .init(.order) }

        /// The kind in one word.
        public var description: String { self.value.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// The file or folder.
    public let path: String
    /// The byte at which it was found; for `Data.db` a byte of the plain data, as `sstabledump` shows positions.
    public let offset: Int64?
    /// What is wrong, where, and what to do.
    public let description: String

    init(_ code: Code, _ path: String, at offset: Int64? = nil, _ what: String, advice: String? = nil) {
        self.code = code
        self.path = path
        self.offset = offset
        let place = offset.map { " at byte \($0)" } ?? ""
        self.description = "'\(path)'\(place): \(what)\((advice ?? code.advice).map { "; \($0)" } ?? "")"
    }

    /// A folder that cannot be listed.
    package init(unreadable path: String, _ what: String) {
        self.init(.denied, path, what, advice: "let the user of this process read it")
    }

    /// What is read by others and not here.
    package init(unsupported path: String, _ what: String) { self.init(.unsupported, path, what) }

    init(_ fault: Fault, _ path: String, from start: Int64 = 0) {
        let offset = start + Int64(fault.offset)
        let what = fault.detail.map { "\(fault.what): \($0)" } ?? "\(fault.what)"
        switch fault.kind {
        case .short: self.init(.truncated, path, at: offset, "the file ends within \(what)")
        case .malformed: self.init(.malformed, path, at: offset, what)
        case .oversized: self.init(.oversized, path, at: offset, what)
        case .unsupported: self.init(.unsupported, path, at: offset, what)
        }
    }

    /// A system call failed on `path`.
    static func failed(_ call: String, _ path: String, _ number: Int32) -> Self {
        let reason = SystemCalls.reason(number)
        if SystemCalls.isMissing(number) { return Self(.missing, path, "there is no such file") }
        if SystemCalls.isDenial(number) {
            return Self(.denied, path, "\(call) failed: \(reason)", advice: "let the user of this process read it")
        }
        return Self(
            .system,
            path,
            "\(call) failed: \(reason)",
            advice: "look at the system's log for errors of the disk"
        )
    }
}

extension SSTableError.Code {
    /// What helps in most cases.
    var advice: String? {
        switch self {
        case .truncated, .checksum, .malformed, .order:
            "copy the file again from its node, or from a snapshot of another replica"
        case .missing: "an SSTable needs all files that its TOC.txt names"
        default: nil
        }
    }
}
